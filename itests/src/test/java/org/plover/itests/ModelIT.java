package org.plover.itests;

import static org.junit.Assert.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.Test;

/** The model of the protocol, checked with spin: intact, and with each of its guards taken out. */
public class ModelIT {
    @Test
    public void shouldFindNoErrorInTheProtocolAndOneWithoutAnyOfItsGuards() throws Exception {
        Process check = new ProcessBuilder("bash", Path.of("..", "model", "check.sh").toString()).redirectErrorStream(true).start();
        String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        System.out.println(said);
        assertEquals(said, 0, check.waitFor());
    }
}
