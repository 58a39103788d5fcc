package org.plover.config.files;

import static org.junit.Assert.assertEquals;

import java.util.Map;
import java.util.TreeMap;
import org.junit.Test;

public class CfgTextTest {

    private static final String TEXT = "# about threads\nthreads = 7\n\n! about names\nname = a \\\n    b\npath=C:\\\\x\n";

    @Test
    public void shouldReadValuesOverContinuationLines() {
        assertEquals(Map.of("threads", "7", "name", "a b", "path", "C:\\x"), CfgText.parse(TEXT).values());
    }

    @Test
    public void shouldKeepTextThatHasTheseValuesAlready() {
        CfgText text = CfgText.parse(TEXT);
        assertEquals(TEXT, text.with(text.values()));
    }

    @Test
    public void shouldChangeValueInItsPlaceAndKeepComments() {
        Map<String, String> values = new TreeMap<>(CfgText.parse(TEXT).values());
        values.put("threads", "9");
        assertEquals(TEXT.replace("threads = 7", "threads = 9"), CfgText.parse(TEXT).with(values));
    }

    @Test
    public void shouldDropWhatIsGoneAndAppendWhatIsNew() {
        assertEquals("# about threads\n\n! about names\nnew = 1\n", CfgText.parse(TEXT).with(Map.of("new", "1")));
    }

    @Test
    public void shouldReadBackWhateverItWrote() {
        Map<String, String> odd = Map.of("a b:c=d#e", " leading\tand\nlines \\", "empty", "", "umlaut", "\u00fc \u20ac");
        assertEquals(odd, CfgText.parse(CfgText.parse("").with(odd)).values());
    }

    @Test
    public void shouldTakeCommentThatEndsInBackslashAsOneLine() {
        assertEquals(Map.of("a", "1"), CfgText.parse("# C:\\\na=1\n").values());
    }
}
