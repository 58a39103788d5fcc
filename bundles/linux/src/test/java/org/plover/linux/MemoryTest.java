package org.plover.linux;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

public class MemoryTest {
    private static final int BYTES = 1 << 16;
    private long address;

    @Before
    public void map() throws Exception {
        address = Linux.mapAnonymous(BYTES);
    }

    @After
    public void unmap() throws Exception {
        Linux.munmap(address, BYTES);
    }

    @Test
    public void shouldCopyCompareAndZero() {
        for (int i = 0; i < 4096; i += 8) {
            Memory.putLong(address + i, i * 0x9E3779B97F4A7C15L);
        }
        assertFalse(Memory.equal(address, address + 8192, 4096));
        Memory.copy(address, address + 8192, 4096);
        assertTrue(Memory.equal(address, address + 8192, 4096));
        Memory.putByte(address + 8192 + 4095, (byte) (Memory.getByte(address + 4095) + 1));
        assertFalse(Memory.equal(address, address + 8192, 4096));
        Memory.zero(address, 4096);
        assertEquals(0, Memory.getLong(address + 4088));
    }

    @Test
    public void shouldMoveBytesBetweenMemoryAndBuffersOfBothKinds() {
        for (ByteBuffer buffer : new ByteBuffer[] {ByteBuffer.allocate(32), ByteBuffer.allocateDirect(32)}) {
            buffer.position(3).put(new byte[] {1, 2, 3, 4}).position(3);
            Memory.put(buffer, address, 4);
            assertEquals(7, buffer.position());
            assertEquals(0x04030201, Memory.getInt(address));
            buffer.position(20);
            Memory.get(address + 1, buffer, 3);
            assertEquals(23, buffer.position());
            assertEquals(4, buffer.get(22));
        }
    }

    @Test
    public void shouldTakeReadOnlyBuffers() {
        ByteBuffer buffer = ByteBuffer.wrap(new byte[] {0, 9, 8, 7}).asReadOnlyBuffer().position(1);
        Memory.put(buffer, address, 3);
        assertEquals(0x00070809, Memory.getInt(address));
        assertFalse(buffer.hasRemaining());
    }

    @Test
    public void shouldRefuseWhatDoesNotFit() {
        assertThrows(IllegalArgumentException.class, () -> Memory.get(address, ByteBuffer.allocate(3), 4));
        assertThrows(IllegalArgumentException.class, () -> Memory.put(ByteBuffer.allocate(3), address, 4));
        assertThrows(IllegalArgumentException.class, () -> Memory.addressOf(ByteBuffer.allocate(3)));
    }

    @Test
    public void shouldViewMemoryAsABuffer() {
        ByteBuffer view = Memory.view(address, 4096);
        view.putInt(8, 77);
        assertEquals(77, Memory.getInt(address + 8));
        assertEquals(address, Memory.addressOf(view));
    }
}
