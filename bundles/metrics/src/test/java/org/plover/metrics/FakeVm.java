package org.plover.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.plover.api.status.DiskVerifyReport;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.LatencyCounts;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.Percentiles;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.Role;
import org.plover.api.status.VerifyReport;
import org.plover.api.status.VmEvent;
import org.plover.api.status.VmStatus;

/** A protected VM that shows what the test says and takes no orders. */
final class FakeVm implements ProtectedVm {
    final List<EpochRecord> epochs = new ArrayList<>();
    final List<VmEvent> events = new ArrayList<>();
    LatencyCounts latencies = new LatencyCounts(List.of(100L, 1000L), List.of(5L, 3L, 1L), 7_000_000);
    boolean protectedNow = true;
    boolean broken;

    @Override
    public String name() {
        return "redis";
    }

    @Override
    public VmStatus status() {
        return new VmStatus("redis", "alpha", Role.PRIMARY, protectedNow, "as the test says", "", List.of("a note"), 3, "alpha", 48213,
                List.of(new MemberStatus("alpha", "replica", true, true, true, true, false, 0, -1),
                        new MemberStatus("beta", "replica", false, true, protectedNow, true, false, 0, 210),
                        new MemberStatus("gamma", "witness", false, false, false, true, false, 125_000, 1350)),
                12, 14500, 30, 2048, 15, 132, 93.42, new Percentiles(512, 1.84, 6.2, 14.1), new Percentiles(512, 25, 40.5, 120),
                new Percentiles(512, 900, 4000, 12345), new Percentiles(512, 12600, 1258291, 3565158),
                new Percentiles(9000, 180, 420, 2100), 48213, 3, 0, 40, "xxh3", "idle", "tcp");
    }

    void commit(long epoch, long pauseMicros) {
        epochs.add(new EpochRecord(epoch, 3, 25_000, pauseMicros, 3_100, 2_000, 900, 841, 10, 4, 12_600, 7, "idle", epoch % 2 == 0 ? 0 : -1));
    }

    void happen(long sequence, String kind) {
        events.add(new VmEvent(sequence, sequence, kind, "as the test says"));
    }

    @Override
    public List<EpochRecord> epochsSince(long epoch) {
        if (broken) {
            throw new IllegalStateException("the test broke it");
        }
        return epochs.stream().filter(record -> record.epoch() > epoch).toList();
    }

    @Override
    public LatencyCounts inputConsensus() {
        return latencies;
    }

    @Override
    public List<VmEvent> eventsSince(long sequence) {
        return events.stream().filter(event -> event.sequence() > sequence).toList();
    }

    @Override
    public CompletableFuture<VerifyReport> verify() {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<DiskVerifyReport> verifyDisks() {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<String> backup(List<String> files) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<String> switchover() {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<String> forcePrimary(String confirmation) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<String> leave(String member) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<String> join(String member) {
        throw new UnsupportedOperationException();
    }
}
