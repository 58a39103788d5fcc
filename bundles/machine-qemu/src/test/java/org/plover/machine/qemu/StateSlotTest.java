package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class StateSlotTest {
    private static final int CLUSTER = 1 << 16;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    /** Walks the image as QEMU does: header, snapshot table, its L1, L2, data. */
    @Test
    public void shouldLeadFromTheSnapshotToTheStateInOneRun() {
        ByteBuffer b = StateSlot.metadata();
        assertEquals(0x514649fb, b.getInt(0));
        assertEquals("version", 3, b.getInt(4));
        assertEquals("cluster bits", 16, b.getInt(20));
        assertEquals("one snapshot", 1, b.getInt(60));
        int snapshot = (int) b.getLong(64);
        int l1 = (int) b.getLong(snapshot);
        assertEquals("state size", StateSlot.CAPACITY_BYTES, b.getInt(snapshot + 32));
        assertEquals("tag", 's', b.get(snapshot + 40 + b.getInt(snapshot + 36) + 1));
        // The virtual disk has one cluster, so L1 entry 0 is the disk and entry 1 the state.
        assertEquals(CLUSTER, b.getLong(24));
        assertEquals(0, b.getLong(l1));
        int l2 = (int) b.getLong(l1 + 8);
        for (int i = 0; i < StateSlot.CAPACITY_BYTES / CLUSTER; i++) {
            assertEquals(StateSlot.STATE_OFFSET + (long) i * CLUSTER, b.getLong(l2 + 8 * i));
        }
    }

    @Test
    public void shouldCountEveryClustersReferences() {
        ByteBuffer b = StateSlot.metadata();
        int block = (int) b.getLong((int) b.getLong(48));
        int clusters = 7 + StateSlot.CAPACITY_BYTES / CLUSTER;
        for (int i = 0; i < clusters; i++) {
            // The L2 table and the data belong to both the disk's and the snapshot's L1.
            assertEquals("cluster " + i, i < 6 ? 1 : 2, b.getShort(block + 2 * i));
        }
        assertEquals(0, b.getShort(block + 2 * clusters));
    }

    @Test
    public void shouldWriteAStateInPlaceAndLeaveTheBufferAlone() throws Exception {
        Path path = folder.getRoot().toPath().resolve("slot");
        try (StateSlot slot = StateSlot.create(path)) {
            ByteBuffer state = ByteBuffer.allocate(10).put(5, (byte) 99).position(5);
            slot.write(state);
            assertEquals(5, state.position());
        }
        byte[] file = Files.readAllBytes(path);
        assertEquals(StateSlot.STATE_OFFSET + StateSlot.CAPACITY_BYTES, file.length);
        assertEquals(99, file[(int) StateSlot.STATE_OFFSET]);
    }

    @Test
    public void shouldRefuseAStateThatDoesNotFit() throws Exception {
        try (StateSlot slot = StateSlot.create(folder.getRoot().toPath().resolve("slot"))) {
            IOException e = assertThrows(IOException.class, () -> slot.write(ByteBuffer.allocate(StateSlot.CAPACITY_BYTES + 1)));
            assertTrue(e.getMessage(), e.getMessage().contains("does not fit"));
        }
    }
}
