package org.plover.console;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.Test;

public class PageFilesTest {
    private static final List<String> SCRIPTS = List.of("main.js", "api.js", "ask.js", "dom.js", "events.js", "history.js", "orders.js", "picture.js",
            "providers.js", "settings.js", "timeline.js", "wizard.js", "words.js");

    private final PageFiles files = new PageFiles();

    @Test
    public void shouldForbidTheBrowserWhateverIsInlineOrFromElsewhere() throws IOException {
        for (String path : List.of("", "/", "/res/main.js", "/res/page.css", "/res/uPlot.esm.js")) {
            PageFiles.Answer answer = get(path);
            assertEquals(path, 200, answer.status());
            assertEquals(PageFiles.POLICY, answer.headers().get("Content-Security-Policy"));
            assertEquals("nosniff", answer.headers().get("X-Content-Type-Options"));
        }
        assertFalse(PageFiles.POLICY.contains("unsafe"));
    }

    @Test
    public void shouldHaveEveryFileThatThePageAsksFor() throws IOException {
        String page = text(get(""));
        assertFalse("every place is filled in", page.contains("@plugin@") || page.contains("@console@"));
        Matcher asked = Pattern.compile("(?:src|href)=\"/c/plover(/res/[^\"]+)\"").matcher(page);
        int found = 0;
        while (asked.find()) {
            assertEquals(asked.group(1), 200, get(asked.group(1)).status());
            found++;
        }
        assertTrue("it asks for styles and a script", found >= 4);
        for (String script : SCRIPTS) {
            Matcher imports = Pattern.compile("from '\\./([^']+)'").matcher(text(get("/res/" + script)));
            while (imports.find()) {
                assertEquals(script + " imports " + imports.group(1), 200, get("/res/" + imports.group(1)).status());
            }
        }
    }

    @Test
    public void shouldServeScriptsAsWhatBrowsersTakeForModules() throws IOException {
        assertEquals("text/javascript;charset=utf-8", get("/res/main.js").headers().get("Content-Type"));
    }

    @Test
    public void shouldNotServeWhatIsNotOfThePage() throws IOException {
        for (String path : List.of("/res/../PageFiles.class", "/res/..%2fPageFiles.class", "/res/index.html", "/res/", "/main.js", "/res/missing.js", "/res/.hidden")) {
            assertEquals(path, 404, get(path).status());
        }
    }

    @Test
    public void shouldSendAnUnchangedFileOnlyOnce() throws IOException {
        String tag = get("/res/page.css").headers().get("ETag");
        PageFiles.Answer again = files.answer("/res/page.css", "/c", "/c/plover", tag);
        assertEquals(304, again.status());
        assertEquals(0, again.body().length);
    }

    @Test
    public void shouldKeepAPathOutOfMarkup() throws IOException {
        String page = new String(files.answer("", "/c\"><script>", "/c/plover", null).body(), StandardCharsets.UTF_8);
        assertFalse(page.contains("\"><script>"));
    }

    /** Texts from guests, peers and files are never markup: no script of ours has a way to make them so. */
    @Test
    public void shouldNeverMakeMarkupOfText() throws IOException {
        for (String script : SCRIPTS) {
            String text = text(get("/res/" + script));
            for (String way : List.of("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "setTimeout('")) {
                assertFalse(script + " has " + way, text.contains(way));
            }
        }
    }

    @Test
    public void shouldCarryTheLicenceOfTheChartsLibrary() throws IOException {
        try (InputStream licence = PageFiles.class.getResourceAsStream("page/uPlot-LICENSE.txt")) {
            assertNotNull(licence);
        }
    }

    private PageFiles.Answer get(String path) throws IOException {
        return files.answer(path, "/c", "/c/plover", null);
    }

    private static String text(PageFiles.Answer answer) {
        return new String(answer.body(), StandardCharsets.UTF_8);
    }
}
