package org.plover.console;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import jakarta.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The page in a real browser, against a REST API that plays what the test wants. */
public class PageIT {
    private static final Path SCREENSHOTS = Path.of(System.getProperty("plover.it.screenshots"));

    private FakeAppliance appliance;
    private Browser browser;

    @Before
    public void openThePage() throws IOException {
        appliance = new FakeAppliance();
        browser = new Browser();
        browser.size(1400, 1000);
    }

    @After
    public void closeThePage() throws IOException {
        browser.close();
        appliance.close();
    }

    @Test
    public void shouldShowAtAGlanceWhoIsWhoAndThatTheGuestIsProtected() throws IOException {
        open();
        assertEquals("PROTECTED", browser.text("#verdict-words"));
        String picture = browser.find(".group").getAttribute("aria-label");
        assertEquals("alpha: primary, in sync, this member. beta: backup, in sync, connected with a round trip of 410 µs. "
                + "gamma: witness, votes, connected with a round trip of 380 µs", picture);
        browser.await("every chart has lines to show", page -> page.all("#charts canvas").size() == 5
                && page.all(".legend b").stream().noneMatch(value -> value.getText().equals("-")));
        assertEquals("nothing in the browser's log", List.of(), browser.complaints());
    }

    @Test
    public void shouldSayWhyTheGuestIsNotProtectedAndMarkIt() {
        open();
        appliance.group.backup(false, false);
        appliance.group.member("PRIMARY", "alpha", "not protected: beta cannot be reached; start the appliance there");
        appliance.group.event("unprotected", "beta was lost: the guest is not protected");
        browser.awaitText("#verdict-words", "NOT PROTECTED");
        assertTrue(browser.text("#message").contains("start the appliance there"));
        browser.awaitText(".group", "silent for 4 s");
        browser.awaitText("#event-list li:first-child", "beta was lost");
        browser.awaitText("#announcer", "beta was lost");
    }

    @Test
    public void shouldApplyASettingAndMarkTheMoment() {
        open();
        browser.type("[data-key=intervalMillisMax] input", "50");
        browser.awaitText("[data-key=intervalMillisMax] .state", "typed");
        browser.press("[data-pid='org.plover.policy.idle'] button[type=submit]");
        browser.awaitText("[data-pid='org.plover.policy.idle'] .answer", "Applied at");
        assertEquals("50", appliance.group.setting(FakeGroup.POLICY_PID, "intervalMillisMax"));
        browser.awaitText("#event-list li:first-child", "intervalMillisMax is 50 now");
        browser.awaitText("[data-key=intervalMillisMax] .state", "not the default");
        browser.awaitText(".legend", "50 ms");
    }

    @Test
    public void shouldKeepWhatWasTypedWhenTheServerRefusesIt() {
        open();
        browser.type("[data-key=intervalMillisMin] input", "500");
        browser.press("[data-pid='org.plover.policy.idle'] button[type=submit]");
        browser.awaitText("[data-pid='org.plover.policy.idle'] .answer", FakeGroup.REFUSAL);
        assertEquals("500", browser.find("[data-key=intervalMillisMin] input").getDomProperty("value"));
        assertEquals("true", browser.find("[data-key=intervalMillisMin] input").getAttribute("aria-invalid"));
        assertEquals("", appliance.group.setting(FakeGroup.POLICY_PID, "intervalMillisMin"));
    }

    @Test
    public void shouldAskBackBeforeItSwitchesOverAndTakeNoForAnAnswer() {
        open();
        browser.press("#order-switchover");
        browser.awaitText("#ask-body", "goes on at beta");
        browser.press("#ask-no");
        assertEquals(List.of(), appliance.group.orders());

        browser.press("#order-switchover");
        browser.press("#ask-yes");
        browser.await("the switchover is done", page -> page.all("#operations [data-state=done]").size() == 1);
        browser.awaitText("#event-list", "handed over by an operator");
        assertEquals(List.of("switchover"), appliance.group.orders().stream().map(order -> order.getString("kind")).toList());
        browser.awaitText("#message", "in sync as of epoch");
        assertEquals("true", browser.find("#order-switchover").getAttribute("aria-disabled"));
        browser.awaitText("#timeline-note", "Epochs are recorded by the primary, beta");
    }

    @Test
    public void shouldResynchroniseByLeaveAndJoin() {
        open();
        browser.press("#order-resynchronise");
        browser.press("#ask-yes");
        browser.await("it is done", page -> page.all("#operations [data-state=done]").size() == 1);
        assertEquals(List.of("leave beta", "join beta"),
                appliance.group.orders().stream().map(order -> order.getString("kind") + " " + order.getString("member")).toList());
    }

    @Test
    public void shouldSayWhatAVerificationFound() {
        open();
        browser.press("#order-verify");
        browser.press("#ask-yes");
        browser.awaitText("#operations", "all 65536 pages of memory are equal");
    }

    @Test
    public void shouldCancelALongBackup() {
        appliance.group.letOperationsRun();
        open();
        browser.press("#order-backup");
        browser.type("#ask-files", "/backup/root.img" + Keys.ENTER + "/backup/data.img");
        browser.press("#ask-yes");
        browser.await("it can be cancelled", page -> page.all("#operations button").size() == 1);
        JsonObject order = appliance.group.orders().get(0);
        assertEquals("[\"/backup/root.img\",\"/backup/data.img\"]", order.getJsonArray("files").toString());
        browser.press("#operations button");
        browser.await("it is cancelled", page -> page.all("#operations [data-state=cancelled]").size() == 1);
    }

    @Test
    public void shouldSwapTheHasher() {
        open();
        browser.awaitText("#provider-list", "java");
        browser.script("const s = document.querySelector('#part-hasher'); s.value = 'java';");
        browser.press("#swap-hasher");
        browser.press("#ask-yes");
        browser.awaitText("#part-hasher", "java (in use)");
        assertEquals("[\"java\",\"xxh3\"]", appliance.group.setting(FakeGroup.VM_PID, "hashers"));
    }

    @Test
    public void shouldTellAViewerWhyNothingCanBeDone() {
        appliance.group.as("victor", "viewer");
        open();
        browser.awaitText("#orders-reason", "giving orders needs the role operator");
        browser.awaitText("#settings-reason", "changing settings needs the role administrator");
        browser.press("#order-verify");
        browser.awaitText("#operations", "this needs the role operator");
        assertEquals(List.of(), appliance.group.orders());
        assertEquals(0, browser.all("#settings-forms button").size());
    }

    @Test
    public void shouldNotMakeMarkupOfAnybodysText() {
        String markup = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
        appliance.group.event("warning", markup);
        appliance.group.member("PRIMARY", "alpha", markup);
        open();
        browser.awaitText("#event-list li:first-child .what", markup);
        assertEquals(markup, browser.text("#message"));
        assertEquals(0, browser.all("main img").size());
    }

    @Test
    public void shouldFindEventsByKindAndText() {
        for (int i = 0; i < 30; i++) {
            appliance.group.event("member-lost", "gamma is silent, number " + i);
            appliance.group.event("member-back", "gamma is heard again, number " + i);
        }
        open();
        browser.await("all are shown", page -> page.all("#event-list li").size() == 61);
        assertTrue("newest first", browser.text("#event-list li:first-child").contains("heard again, number 29"));
        browser.type("#event-text", "number 7");
        browser.await("two are left", page -> page.all("#event-list li").size() == 2);
        browser.script("const s = document.querySelector('#event-kind'); s.value = 'member-lost'; s.dispatchEvent(new Event('change'))");
        browser.await("one is left", page -> page.all("#event-list li").size() == 1);
    }

    @Test
    public void shouldSayHowOldItsPictureIsWhileNothingAnswersAndRecover() {
        open();
        appliance.silence(true);
        browser.awaitText("#trouble", "What you see is");
        appliance.silence(false);
        browser.await("the trouble is over", page -> !page.find("#trouble").isDisplayed());
    }

    @Test
    public void shouldBeUsableByKeyboardAlone() {
        open();
        browser.find("body").sendKeys(Keys.TAB);
        assertEquals("Skip to the content", browser.script("return document.activeElement.textContent"));
        WebElement button = browser.find("#order-verify");
        browser.script("arguments[0].focus()", button);
        button.sendKeys(Keys.ENTER);
        browser.await("the dialog is open", page -> page.find("#ask").isDisplayed());
        assertEquals("the harmless answer has the focus", "ask-no", browser.script("return document.activeElement.id"));
        browser.find("#ask-no").sendKeys(Keys.ESCAPE);
        browser.await("the dialog is closed", page -> !page.find("#ask").isDisplayed());
        assertEquals("order-verify", browser.script("return document.activeElement.id"));
        assertEquals("every control has a name", List.of(), browser.script("""
                return [...document.querySelectorAll('input, select, textarea, button')]
                    .filter(e => !(e.labels?.length > 0) && !e.getAttribute('aria-label') && e.textContent.trim() === '' && !e.closest('dialog'))
                    .map(e => e.outerHTML)"""));
    }

    @Test
    public void shouldFitAPhoneAndBothColourSchemes() throws IOException {
        appliance.group.event("failover", "beta leads view 3");
        appliance.group.event("setting-changed", "org.plover.policy.idle: intervalMillisMax is 200 now");
        for (String scheme : List.of("light", "dark")) {
            for (int width : List.of(1400, 360)) {
                browser.size(width, width == 360 ? 780 : 1000);
                browser.prefer(scheme);
                open();
                browser.await("the charts have filled", page -> Long.parseLong(String.valueOf(page.script(
                        "return document.querySelectorAll('#event-list li').length"))) >= 3 && page.all("#charts canvas").size() == 5);
                browser.awaitText(".legend", "400 ms");
                assertEquals("nothing is wider than the screen at " + width, 0L,
                        browser.script("return Math.max(0, document.documentElement.scrollWidth - window.innerWidth)"));
                browser.keep(SCREENSHOTS, scheme + "-" + width);
            }
        }
    }

    @Test
    public void shouldPlanTheProtectionOfAPastedDomainAndSayWhatIsWrongWithOneThatIsNone() throws IOException {
        open();
        browser.type("#wizard-text", "<network/>");
        browser.press("#wizard-go");
        browser.awaitText("#wizard-body .answer", "its outermost element is <network>");
        browser.type("#wizard-text", "<domain type='kvm'><name>shop</name><memory unit='GiB'>1</memory><os><type>hvm</type></os>"
                + "<devices><disk type='file'><driver type='vmdk'/><source file='/srv/shop.vmdk'/><target dev='vda' bus='virtio'/></disk></devices></domain>");
        browser.type("#wizard-members", "a=replica@192.0.2.1:7400" + Keys.ENTER + "b=replica@192.0.2.2:7400" + Keys.ENTER + "w=witness@192.0.2.3:7400");
        browser.press("#wizard-go");
        browser.awaitText("#wizard-answer h3", "2 things block it");
        browser.awaitText("#wizard-answer", "qemu-img convert -p -O raw /srv/shop.vmdk /srv/shop.raw");
        browser.awaitText("#wizard-answer pre", "memoryMiB=I\"1024\"");
        browser.keep(SCREENSHOTS, "wizard");
    }

    @Test
    public void shouldAskNothingWhileNobodyLooks() throws InterruptedException {
        open();
        browser.script("Object.defineProperty(document, 'hidden', {value: true, configurable: true})");
        Thread.sleep(2_500);
        int before = appliance.group.requests();
        Thread.sleep(3_000);
        assertEquals(before, appliance.group.requests());
        browser.script("Object.defineProperty(document, 'hidden', {value: false, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))");
        browser.await("it asks again", page -> appliance.group.requests() > before + 5);
    }

    private void open() {
        browser.open(appliance.url());
        browser.await("the page knows how things are", page -> page.text("#verdict-words").contains("PROTECTED") && !page.text("#who").isEmpty()
                && page.all("#settings-forms details").size() == 2);
    }
}
