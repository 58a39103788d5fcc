package org.plover.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.ConsensusHost;
import org.plover.api.consensus.ConsensusProvider;
import org.plover.api.consensus.EntryType;
import org.plover.api.group.Group;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;
import org.plover.api.transport.TransportListener;
import org.plover.api.transport.TransportProvider;

/**
 * A member without a guest: the way of a message through {@link GroupLoop} (transport thread, ring, loop thread, core, and
 * from there straight to the transport) and nothing else of it. In this package for the sake of the product's own ring and
 * stable storage, which no other can see. Everything protected is for the loop thread.
 */
public abstract class MemberLoop implements TransportListener, ConsensusHost, AutoCloseable {
    private static final int RING_BYTES = 8 << 20;
    private static final int BATCH_MAX = 64;
    private static final byte TO_CONSENSUS = 0;
    private static final byte TO_MEMBER = 1;

    protected final Consensus consensus;
    private final FrameRing control = new FrameRing(RING_BYTES);
    private final Queue<Runnable> events = new ConcurrentLinkedQueue<>();
    private final long[] incarnations = new long[Group.SIZE];
    private final ByteBuffer toConsensus = ByteBuffer.allocateDirect(1).put(0, TO_CONSENSUS);
    private final ByteBuffer toMember = ByteBuffer.allocateDirect(1).put(0, TO_MEMBER);
    private final ByteBuffer number = ByteBuffer.allocateDirect(Long.BYTES);
    private final Thread thread;
    private volatile Transport transport;
    private volatile boolean closing;
    private volatile boolean parked;

    /** @param directory an empty directory for the stable storage */
    protected MemberLoop(Group group, Path directory, ConsensusProvider consensusProvider) throws IOException {
        consensus = consensusProvider.create(group, new FileStableStorage(directory.resolve("votes")),
                new SecureRandom().nextLong(), this);
        thread = new Thread(this::run, "plover-loop-" + group.name());
    }

    /** Takes part in the group from now on. */
    public final void start(Group group, TransportProvider provider) throws IOException {
        transport = provider.open(group, consensus.incarnation(), this);
        thread.start();
    }

    /** Proposes what there is to propose; called in every turn of the loop. Returns whether there was any. */
    protected abstract boolean propose();

    /** The number another member sent with {@link #tell}. */
    protected abstract void onTold(int member, long value);

    /** Something the measurement cannot survive. */
    protected abstract void onFault(String what, Throwable cause);

    /** Sends a number to another member, behind all that the core has sent. */
    protected final void tell(int member, long value) {
        if (!transport.send(member, Lane.CONTROL, toMember.rewind(), number.clear().putLong(value).flip())) {
            onFault("member " + member + " cannot be reached", null);
        }
    }

    /** Runs something on the loop thread; from any thread. */
    public final void post(Runnable event) {
        events.add(event);
        wake();
    }

    private void run() {
        try {
            consensus.start(System.nanoTime());
            long tickNanos = TimeUnit.MILLISECONDS.toNanos(consensus.tickMillis());
            long nextTick = System.nanoTime();
            while (!closing) {
                boolean worked = drainEvents() | control.read(BATCH_MAX, this::onControl) > 0;
                worked |= propose();
                long now = System.nanoTime();
                if (now >= nextTick) {
                    consensus.onTick(now);
                    nextTick = now + tickNanos;
                }
                consensus.flush(now);
                if (!worked) {
                    park(nextTick);
                }
            }
        } catch (RuntimeException | AssertionError e) {
            onFault("the loop stopped", e);
        }
    }

    private void park(long untilNanos) {
        parked = true;
        long wait = untilNanos - System.nanoTime();
        if (wait > 0 && events.isEmpty() && control.isEmpty() && !closing) {
            LockSupport.parkNanos(this, wait);
        }
        parked = false;
    }

    private void wake() {
        if (parked) {
            LockSupport.unpark(thread);
        }
    }

    private boolean drainEvents() {
        boolean any = false;
        for (Runnable event = events.poll(); event != null; event = events.poll()) {
            event.run();
            any = true;
        }
        return any;
    }

    private boolean onControl(int from, long incarnation, ByteBuffer message) {
        if (message.get() == TO_CONSENSUS) {
            consensus.onMessage(from, incarnation, message, System.nanoTime());
        } else {
            onTold(from, message.getLong());
        }
        return true;
    }

    @Override
    public final void onMessage(int member, Lane lane, ByteBuffer message) {
        try {
            control.put(member, incarnations[member], message);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        wake();
    }

    @Override
    public final void onConnected(int member, long incarnation) {
        incarnations[member] = incarnation;
        post(() -> consensus.onConnected(member, incarnation, System.nanoTime()));
    }

    @Override
    public final void onDisconnected(int member, String reason) {
        post(() -> {
            consensus.onDisconnected(member, System.nanoTime());
            onLost(member, reason);
        });
    }

    /** A link broke. */
    protected abstract void onLost(int member, String reason);

    @Override
    public final void send(int member, ByteBuffer message) {
        transport.send(member, Lane.CONTROL, toConsensus.rewind(), message);
    }

    @Override
    public void deliver(long index, EntryType type, ByteBuffer payload) {
        // the witness has no use for it
    }

    @Override
    public boolean canLead() {
        return false; // whoever lost the lead would have lost the measurement too
    }

    @Override
    public boolean canColdStart() {
        return false;
    }

    @Override
    public void onColdStart(String why) {
        // no guest to boot
    }

    @Override
    public void onLeading(long view) {
        // see canLead
    }

    @Override
    public void onFollowing(long view, int leader) {
        // nothing depends on it
    }

    @Override
    public void onViewChange(long view) {
        // nothing is held that must not be released
    }

    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(thread);
        try {
            thread.join(TimeUnit.SECONDS.toMillis(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        control.close();
        transport.close();
    }
}
