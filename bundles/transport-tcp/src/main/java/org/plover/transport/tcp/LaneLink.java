package org.plover.transport.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.plover.api.transport.Lane;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One established connection: a lane of one link to a peer. Sending is open to every thread; reading and closing belong to the
 * lane's loop. A fault is reported to the {@link Peer}, which closes both lanes; until then the link only plays dead.
 */
final class LaneLink implements Loop.Ready, Inbox.Sink {
    private static final Logger LOG = LoggerFactory.getLogger(LaneLink.class);

    private final Peer peer;
    private final Lane lane;
    private final SocketChannel channel;
    private final Wire wire;
    private final Inbox inbox;
    private final Outbox outbox;
    private volatile boolean dead;
    private volatile long lastHeardNanos = System.nanoTime();
    private volatile long roundTripMicros = -1;
    /** The heartbeat that has not been answered yet; control loop only. */
    private long pingStamp;
    private boolean pingPending;

    LaneLink(Peer peer, Lane lane, SocketChannel channel, Wire wire, Inbox inbox, ChunkPool pool) {
        this.peer = peer;
        this.lane = lane;
        this.channel = channel;
        this.wire = wire;
        this.inbox = inbox;
        this.outbox = new Outbox(wire, pool);
        inbox.reset();
    }

    /** Begins to read and to drain. On the lane's loop. */
    void start(Loop loop) {
        if (dead) {
            return;
        }
        try {
            lastHeardNanos = System.nanoTime();
            outbox.attach(channel.register(loop.selector(), SelectionKey.OP_READ, this));
            if (wire.hasMore()) {
                receive();
            }
        } catch (ClosedChannelException | CancelledKeyException e) {
            fail("lane " + lane + " was closed while it was set up");
        } catch (IOException e) {
            fail("lane " + lane + ": " + describe(e));
        }
    }

    /** Sends the bytes that end the handshake, ahead of every message. */
    void sendReady(ByteBuffer ready) {
        try {
            outbox.sendRaw(ready);
        } catch (IOException e) {
            fail("lane " + lane + ": " + describe(e));
        }
    }

    boolean send(ByteBuffer[] parts, int bytes, long queueBytesMax) {
        if (dead) {
            return false;
        }
        try {
            return outbox.send(parts, bytes, queueBytesMax);
        } catch (IOException e) {
            fail("lane " + lane + ": " + describe(e));
            return false;
        }
    }

    /** Sends a heartbeat if nothing else was sent for a while, or if the round trip has not been measured for ten times that. */
    void heartbeat(long now, long heartbeatNanos, long queueBytesMax) {
        if (dead || now - outbox.lastSentNanos() < heartbeatNanos && now - pingStamp < 10 * heartbeatNanos) {
            return;
        }
        try {
            if (outbox.sendStamp(Frames.PING, now, queueBytesMax)) {
                pingStamp = now;
                pingPending = true;
            }
        } catch (IOException e) {
            fail("lane " + lane + ": " + describe(e));
        }
    }

    long queuedBytes() {
        return outbox.queuedBytes();
    }

    long roundTripMicros() {
        return roundTripMicros;
    }

    long silenceNanos(long now) {
        return now - lastHeardNanos;
    }

    /** Counts the peer as heard just now, because it could not have been heard. */
    void forgiveSilence(long now) {
        lastHeardNanos = now;
    }

    /** From now on sends are refused and nothing is delivered, though the socket is open yet. Any thread. */
    void playDead() {
        dead = true;
    }

    /** Closes the socket and gives back the memory. On the lane's loop, or when the loops have ended. Idempotent. */
    void close() {
        dead = true;
        outbox.close();
        try {
            wire.close();
        } catch (IOException e) {
            LOG.debug("closing lane {} to {}: {}", lane, peer, e.toString());
        }
    }

    @Override
    public void onReady(SelectionKey key) {
        if (!key.isValid()) {
            return;
        }
        if (dead) {
            key.interestOps(0);
            return;
        }
        try {
            if (key.isWritable()) {
                outbox.drain();
            }
            if (key.isReadable()) {
                receive();
            }
        } catch (IOException e) {
            fail("lane " + lane + ": " + describe(e));
        } catch (CancelledKeyException e) {
            fail("lane " + lane + " was closed");
        }
    }

    /** Reads once from the socket, and all that the wire already has. */
    private void receive() throws IOException {
        do {
            int count = inbox.receive(wire, this);
            if (count < 0) {
                fail("the peer closed lane " + lane);
            } else if (count > 0) {
                long now = System.nanoTime();
                if (lane == Lane.CONTROL) {
                    peer.onHeardAfter(now - lastHeardNanos, now);
                }
                lastHeardNanos = now;
            }
        } while (!dead && wire.hasMore());
    }

    @Override
    public void onMessage(ByteBuffer bytes) {
        try {
            peer.deliver(lane, bytes);
        } catch (RuntimeException | Error e) {
            // The message may have been used in part. Going on would leave a gap in an order that the user relies on.
            LOG.error("the listener failed on a message of {} on lane {}; the link is closed and built anew", peer, lane, e);
            fail("the listener failed on a message on lane " + lane + ": " + e);
        }
    }

    @Override
    public void onStamp(int kind, long stamp) {
        if (kind == Frames.PING) {
            try {
                outbox.sendStamp(Frames.PONG, stamp, peer.queueBytesMax(lane));
            } catch (IOException e) {
                fail("lane " + lane + ": " + describe(e));
            }
        } else if (pingPending && stamp == pingStamp) {
            pingPending = false;
            roundTripMicros = Math.max(1, (System.nanoTime() - stamp + 500) / 1_000);
        }
    }

    @Override
    public boolean isOpen() {
        return !dead && peer.isOpen();
    }

    private void fail(String reason) {
        dead = true;
        peer.onLinkFault(this, reason);
    }

    /** The JDK's own words ("Connection reset by peer") are better known than ours would be. */
    static String describe(Exception e) {
        String text = e.getMessage();
        return text == null || text.isBlank() ? e.getClass().getSimpleName() : text;
    }
}
