package org.plover.transport.tcp;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import org.plover.api.transport.Lane;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection from its opening until both sides know who the other is. Lives on the control loop, for both lanes. Reads exactly
 * the handshake's bytes and none of the frames behind them, so that the socket can be handed on without leftovers.
 */
final class Handshake implements Loop.Ready {
    /** Makes the wire of a connected, non-blocking channel. */
    interface Wires {
        /** @param resume called on any thread when the wire has more to do before bytes can pass */
        Wire over(SocketChannel channel, Runnable resume) throws IOException;
    }

    /** Decides; called on the control loop. */
    interface Owner {
        /** The caller has said who it is; answer with {@link #welcome} or {@link #refuse}. */
        void onHello(Handshake handshake, Hello theirs);

        /** The called member agrees. */
        void onWelcome(Handshake handshake, Hello theirs);

        /** The caller has agreed on this lane; frames follow. */
        void onReady(Handshake handshake);

        /** The other side said no; this connection is closed. */
        void onRefused(Handshake handshake, Refusal refusal);

        /** This connection is closed. */
        void onFailed(Handshake handshake, String reason);
    }

    private enum Step {
        /** Calling: TCP is being set up. */
        CONNECTING,
        /** Connected; TLS is being set up, if it is wanted. */
        SECURING,
        /** Calling: HELLO is out. Stays so after the WELCOME, since a hang-up still has to be noticed. */
        CALLED,
        /** Being called: nothing heard yet. */
        AWAIT_HELLO,
        /** Being called: WELCOME is out. */
        AWAIT_READY,
        /** A refusal is on its way out, or frames may follow: nothing is read here any more. */
        SILENT,
        /** Not to be spoken to; open a moment longer, so that it can read why: a reset would take the reason away from it. */
        LINGERING,
        /** Closed or handed on. */
        OVER
    }

    private static final Logger LOG = LoggerFactory.getLogger(Handshake.class);
    private static final int TLS_HANDSHAKE_RECORD = 0x16;

    private static final int LINGER_BYTES = 64 << 10;

    private final Loop loop;
    private final SocketChannel channel;
    private final Wires wires;
    private final String where;
    private final long deadlineNanos;
    private final int limitMillis;
    private final Hello calling;
    private Owner owner;
    private SelectionKey key;
    private Wire wire;
    private Step step;
    private boolean welcomed;
    private Hello.Prefix prefix;
    private ByteBuffer in = ByteBuffer.allocate(Hello.PREFIX_BYTES);
    private ByteBuffer out = ByteBuffer.allocate(0);

    private Handshake(Owner owner, Loop loop, SocketChannel channel, Wires wires, String where, int limitMillis, Hello calling) {
        this.owner = owner;
        this.loop = loop;
        this.channel = channel;
        this.wires = wires;
        this.where = where;
        this.limitMillis = limitMillis;
        this.deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMillis);
        this.calling = calling;
    }

    /** Follows a connection that this side is opening; {@code channel.connect} has been called. */
    static Handshake call(Owner owner, Loop loop, SocketChannel channel, Wires wires, String where, int limitMillis,
                          Hello hello) throws IOException {
        Handshake handshake = new Handshake(owner, loop, channel, wires, where, limitMillis, hello);
        handshake.step = Step.CONNECTING;
        handshake.key = channel.register(loop.selector(), SelectionKey.OP_CONNECT, handshake);
        return handshake;
    }

    /** Follows a connection that was accepted. */
    static Handshake answer(Owner owner, Loop loop, SocketChannel channel, Wires wires, String where, int limitMillis)
            throws IOException {
        Handshake handshake = new Handshake(owner, loop, channel, wires, where, limitMillis, null);
        handshake.step = Step.SECURING;
        handshake.wire = wires.over(channel, handshake::resume);
        handshake.key = channel.register(loop.selector(), SelectionKey.OP_READ, handshake);
        return handshake;
    }

    /** What this side said when it called; null on an accepted connection. */
    Hello calling() {
        return calling;
    }

    /** Address of the other side, for logs. */
    String where() {
        return where;
    }

    SocketChannel channel() {
        return channel;
    }

    Wire wire() {
        return wire;
    }

    /** Lets the connection's peer take over from who accepted it. */
    void passTo(Owner next) {
        owner = next;
    }

    void welcome(Hello mine) {
        step = Step.AWAIT_READY;
        write(mine.encode(Hello.WELCOME));
    }

    /** Tells the other side why not, and hangs up. The owner is not called any more. */
    void refuse(Refusal refusal, Hello mine) {
        step = Step.SILENT;
        write(refusal.encode(mine));
    }

    /** Lets go of the open connection; for BULK also of this loop's selector, because the lane has a loop of its own. */
    void handOn(Lane lane) {
        step = Step.OVER;
        if (lane == Lane.BULK) {
            key.cancel();
        }
    }

    /** Closes without a word. The owner is not called any more. Idempotent. */
    void close() {
        if (step == Step.OVER) {
            return;
        }
        step = Step.OVER;
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("closing a connection with {}: {}", where, e.toString());
        }
    }

    void expire(long now) {
        if ((step == Step.LINGERING || step == Step.SILENT && isSending()) && now - deadlineNanos >= 0) {
            close();
        } else if (step != Step.OVER && now - deadlineNanos >= 0) {
            fail(step == Step.CONNECTING ? "no connection within " + limitMillis + " ms"
                    : "the connection was not agreed on within " + limitMillis + " ms");
        }
    }

    boolean isOver() {
        return step == Step.OVER;
    }

    @Override
    public void onReady(SelectionKey ready) {
        if (step == Step.OVER || !ready.isValid()) {
            return;
        }
        try {
            if (ready.isConnectable()) {
                finishConnect();
            } else if (step == Step.SECURING) {
                secure();
                return;
            } else if (step == Step.LINGERING) {
                linger();
                return;
            }
            if (step != Step.OVER && ready.isWritable()) {
                flush();
            }
            if (step != Step.OVER && ready.isReadable()) {
                read();
            }
        } catch (IOException | CancelledKeyException e) {
            fail(LaneLink.describe(e));
        }
    }

    private void finishConnect() throws IOException {
        if (!channel.finishConnect()) {
            return;
        }
        if (channel.getLocalAddress().equals(channel.getRemoteAddress())) {
            // TCP lets a socket connect to itself when it happens to draw the port it calls. Keeping it would take the port
            // away from the member that is about to listen there.
            throw new IOException("Connection refused");
        }
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        wire = wires.over(channel, this::resume);
        step = Step.SECURING;
        secure();
    }

    private void resume() {
        loop.execute(() -> {
            if (step == Step.SECURING) {
                try {
                    secure();
                } catch (IOException | CancelledKeyException e) {
                    fail(LaneLink.describe(e));
                }
            }
        });
    }

    private void secure() throws IOException {
        Wire.Progress progress;
        try {
            progress = wire.handshake();
        } catch (IOException e) {
            if (calling != null) {
                throw e;
            }
            step = Step.LINGERING;
            owner.onFailed(this, LaneLink.describe(e));
            linger();
            return;
        }
        switch (progress) {
            case READABLE -> key.interestOps(SelectionKey.OP_READ);
            case WRITABLE -> key.interestOps(SelectionKey.OP_WRITE);
            case BUSY -> key.interestOps(0);
            case DONE -> {
                key.interestOps(SelectionKey.OP_READ);
                step = calling != null ? Step.CALLED : Step.AWAIT_HELLO;
                if (calling != null) {
                    write(calling.encode(Hello.HELLO));
                }
                if (wire.hasMore()) {
                    read();
                }
            }
        }
    }

    private void linger() {
        try {
            channel.shutdownOutput();
            key.interestOps(SelectionKey.OP_READ);
            if (channel.read(ByteBuffer.allocate(LINGER_BYTES)) < 0) {
                close();
            }
        } catch (IOException | CancelledKeyException e) {
            close();
        }
    }

    private boolean isSending() {
        return out.hasRemaining() || wire.unsentBytes() > 0;
    }

    private void read() throws IOException {
        while (step == Step.CALLED || step == Step.AWAIT_HELLO || step == Step.AWAIT_READY) {
            int count = wire.read(in);
            if (count < 0) {
                throw new IOException(welcomed || step == Step.AWAIT_READY ? "the other side hung up before both lanes were agreed on"
                        : "the other side hung up without an answer");
            }
            if (in.hasRemaining()) {
                return;
            }
            in.flip();
            if (prefix == null) {
                prefix = checked(Hello.Prefix.decode(in));
                in = ByteBuffer.allocate(prefix.bodyBytes());
                if (prefix.bodyBytes() > 0) {
                    continue;
                }
            }
            Hello.Prefix whole = prefix;
            ByteBuffer body = in;
            prefix = null;
            in = ByteBuffer.allocate(Hello.PREFIX_BYTES);
            onFrame(whole, body);
        }
    }

    private Hello.Prefix checked(Hello.Prefix p) throws IOException {
        if (p.magic() != Hello.MAGIC) {
            throw new IOException((p.magic() >>> 24) == TLS_HANDSHAKE_RECORD
                    ? "the other side speaks TLS and this one does not; configure both alike"
                    : String.format("the other side does not speak the Plover transport protocol (its first bytes are %08x);"
                            + " look what runs there", p.magic()));
        }
        if (p.bodyBytes() < 0 || p.bodyBytes() > Hello.BODY_BYTES_MAX) {
            throw new IOException("the other side announced a handshake of " + Integer.toUnsignedString(p.bodyBytes())
                    + " bytes, the limit is " + Hello.BODY_BYTES_MAX);
        }
        return p;
    }

    private void onFrame(Hello.Prefix p, ByteBuffer body) throws IOException {
        if (p.type() == Hello.REFUSAL && step != Step.AWAIT_HELLO) {
            close();
            owner.onRefused(this, Refusal.decode(body));
        } else if (p.type() == Hello.HELLO && step == Step.AWAIT_HELLO) {
            owner.onHello(this, Hello.decode(p, body));
        } else if (p.type() == Hello.WELCOME && step == Step.CALLED && !welcomed) {
            welcomed = true;
            owner.onWelcome(this, Hello.decode(p, body));
        } else if (p.type() == Hello.READY && step == Step.AWAIT_READY) {
            step = Step.SILENT;
            key.interestOps(0);
            owner.onReady(this);
        } else {
            throw new IOException("the other side sent handshake frame " + p.type() + " out of turn");
        }
    }

    private void write(ByteBuffer bytes) {
        out = bytes;
        try {
            flush();
        } catch (IOException | CancelledKeyException e) {
            fail(LaneLink.describe(e));
        }
    }

    private void flush() throws IOException {
        wire.write(out);
        if (isSending()) {
            key.interestOpsOr(SelectionKey.OP_WRITE);
            return;
        }
        key.interestOpsAnd(~SelectionKey.OP_WRITE);
        if (step == Step.SILENT) {
            close();
        }
    }

    private void fail(String reason) {
        boolean refusing = step == Step.SILENT && isSending();
        close();
        if (!refusing) {
            owner.onFailed(this, reason);
        }
    }
}
