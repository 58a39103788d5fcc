package org.plover.config.files;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.io.IOException;
import java.util.Map;
import org.junit.Test;

public class TypedSyntaxTest {

    @Test
    public void shouldAcceptEveryFormThatFelixWrites() throws IOException {
        TypedSyntax.check("");
        TypedSyntax.check("# only a comment");
        TypedSyntax.check("self=\"a\"\r\n\nmemoryMiB=I\"256\"\nlive = B\"true\"\nids=i[\"1\",\"2\"]\nempty=[]\nset=( \"a\", )");
        TypedSyntax.check("members=[ \\\n  \"a\\=replica@[::1]:7400\", \\\n  \"with \\\" and \\\\\", \\\n  ]\nself=\"a\"\n");
    }

    @Test
    public void shouldSayInWhichLineWhatIsWrong() {
        Map.of(
                "self=\"a\"\nmemoryMiB=5\n", "line 2: the value of memoryMiB is not in quotation marks",
                "self=\"a\nmembers=[\"x\"]", "line 1: a quotation mark is missing at the end of the value of self",
                "# one\n\nmembers=[\"x\",\nself=\"a\"\n", "line 4: the list in members has no ] at its end",
                "members=[ \\\n \"x\" \"y\"]", "line 2: a comma or ] is missing in the list in members",
                "members=[\"x\"", "line 1: a comma or ] is missing in the list in members",
                "this is nonsense\n", "line 1: 'this is nonsense' has no KEY= in front",
                "{\"a\":1}", "line 1: '{\"a\":1}' has no KEY= in front",
                "self=\"a\" \"b\"\n", "line 1: '\"b\"' stands behind the value of self",
                "self=\"ends in the middle\\", "line 1: a quotation mark is missing at the end of the value of self"
        ).forEach((text, wanted) -> {
            String message = assertThrows(text, IOException.class, () -> TypedSyntax.check(text)).getMessage();
            assertEquals(wanted, message.substring(0, message.indexOf(';')));
        });
    }
}
