package org.plover.benchmarks.consensus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.plover.api.consensus.ConsensusProvider;
import org.plover.api.consensus.EntryType;
import org.plover.api.group.Group;

/**
 * The backup: measures how long an input took from being proposed until it was delivered here, which the monotonic clock
 * allows because all members share one machine. The leader tells it indexes: after the first one it goes on as if its
 * guest had received the state up to there; each is told back as soon as all entries up to it have been delivered.
 */
final class BackupLoop extends FollowerLoop {
    private final long[][] nanos = new long[Way.values().length][Way.ROUNDS * Way.ROUND_TRIPS];
    private final int[] counts = new int[Way.values().length];
    private boolean synced;
    private boolean following;
    private long told = -1;
    private long delivered = -1;

    BackupLoop(Group group, Path directory, ConsensusProvider provider) throws IOException {
        super(group, directory, provider);
    }

    @Override
    public void onFollowing(long view, int leader) {
        post(() -> {
            following = true;
            answer();
        });
    }

    @Override
    protected void onTold(int member, long index) {
        told = index;
        answer();
    }

    private void answer() {
        if (told >= 0 && following && !synced) {
            synced = true;
            delivered = told;
            consensus.skipTo(told, System.nanoTime());
        }
        if (told >= 0 && delivered >= told) {
            tell(MemberMain.LEADER, told);
            told = -1;
        }
    }

    @Override
    public void deliver(long index, EntryType type, ByteBuffer payload) {
        delivered = index;
        if (type == EntryType.INPUT) {
            int way = payload.get();
            if (way >= 0) {
                nanos[way][counts[way]++] = System.nanoTime() - payload.getLong();
            }
        }
        if (told >= 0) {
            answer();
        }
    }

    /** What was measured; after the last answer. */
    void write(Path results) throws IOException {
        Way.ONE.write(results, "backup", nanos[Way.ONE.ordinal()]);
        Way.EIGHT.write(results, "backup", nanos[Way.EIGHT.ordinal()]);
    }
}
