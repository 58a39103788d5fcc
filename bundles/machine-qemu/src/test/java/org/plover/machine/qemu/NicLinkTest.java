package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
    private final BlockingQueue<String> broken = new LinkedBlockingQueue<>();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private SocketPair pair;
    private NicLink link;

    @Before
    public void connect() throws Exception {
        pair = new SocketPair(folder.getRoot().toPath().resolve("nic"));
        link = new NicLink(3, pair.fd, "test", this, broken::add);
        link.release();
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
    public void shouldWriteNothingWhileHeldAndLoseNothing() throws Exception {
        assertFalse("nothing in the socket", link.hold());
        assertTrue(link.inject(ByteBuffer.allocate(100).putInt(0, 5).position(0)));
        assertEquals(104, link.pendingBytes());
        link.release();
        assertEquals(5, pair.read(104).getInt(4));
        assertTrue(link.inject(ByteBuffer.allocate(100)));
        assertTrue("unread", link.hold());
    }

    @Test
    public void shouldDiscardWholeFramesOnly() throws Exception {
        int sent = 0;
        while (link.inject(ByteBuffer.allocate(30_000 + sent % 4 * 10_000).putInt(0, sent).position(0))) {
            sent++;
        }
        link.hold();
        assertTrue(link.hasUnread());
        AtomicInteger received = new AtomicInteger();
        Thread qemu = new Thread(() -> {
            try {
                // Every frame is whole: what follows the last one that the socket held is the first one after the release.
                for (int next = -1; next != 1_000_000; received.incrementAndGet()) {
                    int bytes = pair.read(4).getInt();
                    next = pair.read(bytes).getInt();
                }
            } catch (Exception e) {
                broken.add(e.toString());
            }
        });
        qemu.start();
        assertTrue(link.discard(5000));
        assertFalse(link.hasUnread());
        assertEquals(0, link.pendingBytes());
        link.release();
        assertTrue(link.inject(ByteBuffer.allocate(100).putInt(0, 1_000_000).position(0)));
        qemu.join(5000);
        assertTrue(broken.isEmpty());
        assertTrue(received + " of " + sent, received.get() > 1 && received.get() < sent);
    }

    @Test
    public void shouldReadOnForAListenerThatIsBlocked() throws Exception {
        gate = new CountDownLatch(1);
        int frames = 2000;
        Thread qemu = new Thread(() -> {
            try {
                for (int i = 0; i < frames; i++) {
                    pair.write(ByteBuffer.allocate(1004).putInt(1000).putInt(i).array());
                }
            } catch (Exception e) {
                broken.add(e.toString());
            }
        });
        qemu.start();
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (qemu.isAlive()) {
            link.relieve();
            assertTrue("all is taken while the listener holds the first frame", System.nanoTime() < deadline);
        }
        assertEquals(0, this.frames.size());
        gate.countDown();
        assertTrue(link.awaitDelivered(System.nanoTime() + 5_000_000_000L));
        assertEquals(frames, this.frames.size());
        for (int i = 0; i < frames; i++) {
            assertEquals(i, ByteBuffer.wrap(this.frames.take()).getInt());
        }
        assertTrue(broken.isEmpty());
    }

    @Test
    public void shouldSayThatTheFramingIsLost() throws Exception {
        pair.write(new byte[] {0x7f, 0, 0, 2, 10, 11});
        assertTrue(broken.poll(5, TimeUnit.SECONDS).contains("the framing is lost"));
    }

    @Test
    public void shouldTakeNothingOnceClosed() {
        link.close();
        assertFalse(link.inject(ByteBuffer.allocate(60)));
        assertEquals(0, link.pendingBytes());
    }
}
