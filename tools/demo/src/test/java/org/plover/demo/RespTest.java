package org.plover.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.Test;

public class RespTest {

    private static List<Object> parse(byte[] bytes, int chunkBytes) {
        Resp.Parser parser = new Resp.Parser();
        List<Object> replies = new ArrayList<>();
        for (int from = 0; from < bytes.length;) {
            int count = Math.min(Math.min(chunkBytes, bytes.length - from), parser.room().remaining());
            parser.room().put(bytes, from, count);
            from += count;
            for (Object reply = parser.next(); reply != null; reply = parser.next()) {
                replies.add(reply);
            }
        }
        return replies;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    public void shouldParseRepliesHoweverTheyAreCutIntoSegments() {
        byte[] bytes = ascii("+OK\r\n:42\r\n$5\r\na\r\nbc\r\n$-1\r\n-ERR no\r\n*3\r\n$1\r\n1\r\n:2\r\n*0\r\n$0\r\n\r\n");
        List<Object> expected = List.of("OK", 42L, "a\r\nbc", Resp.NIL, new Resp.Failure("ERR no"),
                                        List.of("1", 2L, List.of()), "");
        for (int chunk = 1; chunk <= bytes.length; chunk++) {
            assertEquals("segments of " + chunk, expected, parse(bytes, chunk));
        }
    }

    @Test
    public void shouldTakeRepliesLongerThanItsBuffer() {
        String text = "x".repeat(100_000);
        assertEquals(List.of(text), parse(ascii("$100000\r\n" + text + "\r\n"), 1_000));
    }

    @Test
    public void shouldWriteCommandsAsArraysOfBulkStrings() {
        assertEquals("*2\r\n$3\r\nGET\r\n$2\r\nk1\r\n", new String(Resp.command("GET", "k1"), StandardCharsets.US_ASCII));
    }

    @Test
    public void shouldRefuseWhatIsNotAReply() {
        for (String text : List.of("HTTP/1.1 400\r\n", "\r\n", ":x\r\n", "$1\r\nabc\r\n")) {
            assertThrows(text, Resp.ProtocolException.class, () -> parse(ascii(text), 64));
        }
    }

    @Test
    public void shouldWaitForTheRest() {
        assertNull(new Resp.Parser().next());
        assertEquals(List.of(), parse(ascii("$5\r\nab"), 64));
    }
}
