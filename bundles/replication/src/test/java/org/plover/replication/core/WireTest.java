package org.plover.replication.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import org.junit.Test;

public class WireTest {
    @Test
    public void shouldNotTakeMemoryForBytesThatAPeerMerelyAnnounces() {
        assertArrayEquals(new byte[] {7}, Wire.getBytes(ByteBuffer.wrap(new byte[] {7, 8}), 1));
        for (int announced : new int[] {3, Integer.MAX_VALUE, -1}) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Wire.getBytes(ByteBuffer.wrap(new byte[] {7, 8}), announced));
            assertTrue(e.getMessage(), e.getMessage().contains(announced + " bytes announced, there are 2"));
        }
    }
}
