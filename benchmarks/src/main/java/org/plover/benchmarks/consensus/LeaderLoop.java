package org.plover.benchmarks.consensus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.ConsensusProvider;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Group;
import org.plover.replication.MemberLoop;

/**
 * The leader: takes the backup in, then proposes inputs, as many at a time as it is told, and measures how long each takes
 * to be delivered here. After each round it waits for the backup and truncates the log, as the end of an epoch does.
 */
final class LeaderLoop extends MemberLoop {
    private static final long BACKUP_SECONDS_MAX = 20;
    private static final long ROUND_SECONDS_MAX = 30;

    private final CompletableFuture<Void> backupInSync = new CompletableFuture<>();
    private final ByteBuffer payload = ByteBuffer.allocateDirect(Way.MESSAGE_BYTES);
    private final int replicas;
    private long[] starts = {};
    private long[] nanos = {};
    private CompletableFuture<Void> done;
    private byte mark;
    private int inFlightMax;
    private int proposed;
    private int delivered;
    private long lastDelivered;

    LeaderLoop(Group group, Path directory, ConsensusProvider provider) throws IOException {
        super(group, directory, provider);
        replicas = group.member(MemberMain.LEADER).bit() | group.member(MemberMain.BACKUP).bit();
    }

    /** Blocks until the group is formed and the backup in sync. */
    void awaitBackup() throws IOException, InterruptedException {
        await(backupInSync, BACKUP_SECONDS_MAX, "the group was not formed");
    }

    /**
     * Blocks for a round of as many inputs as there is room for their durations.
     *
     * @param counts whether the backup shall keep its durations of this round
     */
    void run(Way way, boolean counts, long[] into) throws IOException, InterruptedException {
        CompletableFuture<Void> end = new CompletableFuture<>();
        post(() -> {
            starts = new long[into.length];
            mark = (byte) (counts ? way.ordinal() : -1);
            inFlightMax = way.inFlight;
            proposed = 0;
            delivered = 0;
            done = end;
            nanos = into;
        });
        await(end, ROUND_SECONDS_MAX, "a round of " + into.length + " inputs did not end");
    }

    private static void await(CompletableFuture<Void> event, long secondsMax, String otherwise) throws IOException, InterruptedException {
        try {
            event.get(secondsMax, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException e) {
            throw new IOException(otherwise + " within " + secondsMax + " s", e);
        }
    }

    @Override
    public boolean canLead() {
        return true;
    }

    @Override
    public void onLeading(long view) {
        post(() -> tell(MemberMain.BACKUP, consensus.commitIndex()));
    }

    @Override
    protected void onTold(int member, long index) {
        if (!consensus.membership().isInSync(MemberMain.BACKUP)) {
            Membership next = consensus.membership().withInSync(consensus.view(), replicas);
            if (consensus.proposeMembership(next, System.nanoTime()) < 0) {
                onFault("the backup could not be proposed", null);
            }
            return;
        }
        consensus.truncate(index, System.nanoTime());
        done.complete(null);
    }

    @Override
    protected boolean propose() {
        boolean any = false;
        while (proposed < nanos.length && proposed - delivered < inFlightMax) {
            long now = System.nanoTime();
            payload.clear().put(mark).putLong(now);
            long index = consensus.propose(EntryType.INPUT, payload.clear(), now);
            if (index == Consensus.NOT_LEADING || index == Consensus.WINDOW_FULL) {
                onFault("an input was not taken (" + index + "); the machine is too busy to measure on, try again when it is quiet", null);
            }
            starts[proposed++] = now;
            any = true;
        }
        return any;
    }

    @Override
    public void deliver(long index, EntryType type, ByteBuffer entry) {
        if (index != lastDelivered + 1) {
            onFault("entry " + index + " was delivered after " + lastDelivered, null);
        }
        lastDelivered = index;
        if (type == EntryType.MEMBERSHIP && consensus.membership().isInSync(MemberMain.BACKUP)) {
            backupInSync.complete(null);
        } else if (type == EntryType.INPUT) {
            nanos[delivered] = System.nanoTime() - starts[delivered];
            if (++delivered == nanos.length) {
                tell(MemberMain.BACKUP, index);
            }
        }
    }

    @Override
    public void onViewChange(long view) {
        onFault("the leader was deposed; the machine is too busy to measure on, try again when it is quiet", null);
    }

    @Override
    protected void onLost(int member, String reason) {
        onFault("lost member " + member + ": " + reason, null);
    }

    @Override
    protected void onFault(String what, Throwable cause) {
        MemberMain.fail(what, cause);
    }
}
