package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.machine.MachineListener;

public class NicLinkTest implements MachineListener {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    private final BlockingQueue<byte[]> frames = new LinkedBlockingQueue<>();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private SocketPair pair;
    private NicLink link;

    @Before
    public void connect() throws Exception {
        pair = new SocketPair(folder.getRoot().toPath().resolve("nic"));
        link = new NicLink(3, pair.fd, "test", this);
    }

    @After
    public void disconnect() throws Exception {
        link.close();
        pair.close();
    }

    @Override
    public void onFrame(int nic, ByteBuffer frame) {
        assertEquals(3, nic);
        byte[] bytes = new byte[frame.remaining()];
        frame.get(bytes);
        try {
            gate.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        frames.add(bytes);
    }

    @Override
    public void onExit(String reason) {
        throw new AssertionError(reason);
    }

    @Test
    public void shouldPutFramesTogetherHoweverTheyArrive() throws Exception {
        pair.write(new byte[] {0, 0, 0, 2, 10, 11, 0, 0});
        assertEquals(2, frames.poll(5, TimeUnit.SECONDS).length);
        pair.write(new byte[] {0, 3, 1, 2});
        pair.write(new byte[] {3, 0, 0, 0, 1, 7});
        assertEquals(3, frames.poll(5, TimeUnit.SECONDS).length);
        assertEquals(7, frames.poll(5, TimeUnit.SECONDS)[0]);
    }

    @Test
    public void shouldWaitForFramesToBeDelivered() throws Exception {
        assertTrue(link.awaitDelivered(System.nanoTime()));
        gate = new CountDownLatch(1);
        pair.write(new byte[] {0, 0, 0, 1, 1});
        assertFalse("the listener holds it", link.awaitDelivered(System.nanoTime() + 1_000_000));
        gate.countDown();
        assertTrue(link.awaitDelivered(System.nanoTime() + 5_000_000_000L));
        assertEquals(1, frames.size());
    }

    @Test
    public void shouldKeepOrderAndContentAcrossABacklog() throws Exception {
        int sent = 0;
        while (link.inject(ByteBuffer.allocate(1000).putInt(0, sent).position(0))) {
            sent++;
        }
        assertTrue("bounded: " + sent, sent >= NicLink.RING_BYTES / 1004 && sent < 5000);
        assertTrue(link.pendingBytes() > NicLink.RING_BYTES - 1004);
        int refused = sent;
        for (int i = 0; i < sent; i++) {
            ByteBuffer got = pair.read(1004);
            assertEquals(1000, got.getInt(0));
            assertEquals(i, got.getInt(4));
            if (i == 500) {
                // There is room again: the ring wraps around.
                assertTrue(link.inject(ByteBuffer.allocateDirect(1000).putInt(0, refused).position(0)));
                sent++;
            }
        }
        assertEquals(0, link.pendingBytes());
    }

    @Test
    public void shouldTakeNothingOnceClosed() {
        link.close();
        assertFalse(link.inject(ByteBuffer.allocate(60)));
        assertEquals(0, link.pendingBytes());
    }
}
