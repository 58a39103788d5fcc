package org.plover.itests;

import static org.junit.Assert.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.openqa.selenium.Keys;
import org.plover.console.Browser;
import org.plover.demo.cluster.Cluster;
import org.plover.demo.cluster.ClusterSettings;
import org.plover.demo.cluster.Host;

/** The page "Protection" of real appliances that protect a real guest, in a real browser. */
public class ProtectionPageIT {
    private static final Path SCREENSHOTS = Path.of(System.getProperty("plover.it.screenshots"));
    private static final long START_SECONDS_MAX = 300;

    @Test
    public void shouldLetAnOperatorLookTuneSwapAndSwitchOver() throws Exception {
        Path work = Files.createDirectories(Path.of(System.getProperty("plover.it.work"))).resolve("page-" + ProcessHandle.current().pid());
        ClusterSettings settings = new ClusterSettings(Path.of(System.getProperty("plover.it.appliance")), Path.of(System.getProperty("plover.it.guest")), List.of(),
                work, 256, 1, 6379, 0, Map.of(), "", "", false, 0, true);
        try (Cluster cluster = new Cluster(settings); Browser browser = new Browser()) {
            for (Host host : cluster.hosts()) {
                cluster.start(host);
            }
            cluster.await("the guest is protected", START_SECONDS_MAX, cluster::isProtected);
            browser.size(1400, 1000);
            Host primary = cluster.primary().orElseThrow();
            Host backup = cluster.hosts().stream().filter(host -> !host.witness && host != primary).findFirst().orElseThrow();

            nobodyGetsInWithoutAPassword(browser, primary);
            logIn(browser, primary);
            browser.awaitText("#verdict-words", "PROTECTED");
            browser.awaitText(".group", "primary (here)");
            browser.await("witness and backup are there", page -> page.all(".member.good").size() == 3);
            browser.await("epochs are drawn", page -> page.all("#charts canvas").size() == 5 && !page.text(".legend b").equals("-"));
            browser.keep(SCREENSHOTS, "1-protected");

            changeAnInterval(browser);
            browser.keep(SCREENSHOTS, "2-interval");
            swapTheHasher(browser);
            browser.keep(SCREENSHOTS, "3-hasher");
            switchOver(browser, backup);
            browser.keep(SCREENSHOTS, "4-switched-over");
            logIn(browser, backup);
            browser.awaitText(".group", "primary (here)");
            browser.awaitText("#event-list", backup.name);
            cluster.await("the guest is protected again", START_SECONDS_MAX, cluster::isProtected);
            browser.awaitText("#verdict-words", "PROTECTED");
            browser.size(360, 780);
            browser.prefer("dark");
            browser.keep(SCREENSHOTS, "5-new-primary-phone");
            assertEquals("complaints of the browser, but for the wrong password and the wrong setting", List.of(),
                    browser.complaints().stream().filter(line -> !line.contains(" 401 ") && !line.contains("/settings/org.plover.policy.idle - ")).toList());
        }
    }

    private static void nobodyGetsInWithoutAPassword(Browser browser, Host host) {
        browser.open(host.page());
        browser.await("there is a login page", page -> page.all("input[type=password]").size() == 1);
        browser.type("#name", "plover");
        browser.type("#password", "not the password" + Keys.ENTER);
        browser.await("a wrong password is refused", page -> page.text("[role=alert]").contains("wrong"));
    }

    private static void logIn(Browser browser, Host host) throws Exception {
        browser.open(host.page());
        browser.await("there is a login page", page -> page.all("input[type=password]").size() == 1);
        browser.type("#name", "plover");
        browser.type("#password", Files.readString(host.passwordFile()).strip() + Keys.ENTER);
        browser.await("the page says who has logged in", page -> page.text("#who").contains("plover, administrator"));
        browser.await("the page knows how things are", page -> page.all("#settings-forms details").size() > 3);
    }

    /** It bounds how long output waits, and the guest without clients has none; what an idle guest's epochs follow is idleIntervalMillisMax. */
    private static void changeAnInterval(Browser browser) {
        browser.type("[data-key=idleIntervalMillisMax] input", "400000000");
        browser.press("[data-pid='org.plover.policy.idle'] button[type=submit]");
        browser.awaitText("[data-pid='org.plover.policy.idle'] .answer", "Not applied");
        browser.type("[data-key=idleIntervalMillisMax] input", "450");
        browser.press("[data-pid='org.plover.policy.idle'] button[type=submit]");
        browser.awaitText("[data-pid='org.plover.policy.idle'] .answer", "Applied at");
        browser.awaitText("#event-list", "idleIntervalMillisMax");
        browser.press("#epoch-table-box summary");
        // The newest epochs, each not much longer than what was set.
        browser.await("epochs take as long as was set", page -> Boolean.TRUE.equals(page.script("""
                const cells = [...document.querySelectorAll('#epoch-table tbody tr td:nth-child(3)')].slice(0, 3).map(e => e.textContent);
                return cells.length === 3 && cells.every(t => t.endsWith(' ms') && parseFloat(t) >= 400 && parseFloat(t) < 900)""")));
    }

    private static void swapTheHasher(Browser browser) {
        browser.awaitText("#part-hasher", "(in use)");
        String other = browser.text("#part-hasher").contains("java (in use)") ? "xxh3" : "java";
        browser.script("document.querySelector('#part-hasher').value = arguments[0]", other);
        browser.press("#swap-hasher");
        browser.press("#ask-yes");
        browser.awaitText("#part-hasher", other + " (in use)");
    }

    private static void switchOver(Browser browser, Host to) {
        browser.press("#order-switchover");
        browser.awaitText("#ask-body", "goes on at " + to.name);
        browser.press("#ask-yes");
        browser.await("the switchover is done", page -> page.all("#operations [data-state=done]").size() == 1);
        browser.awaitText("#timeline-note", "the primary, " + to.name);
    }
}
