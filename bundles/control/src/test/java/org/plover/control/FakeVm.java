package org.plover.control;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
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

/** A protected VM that does as the test says. */
public final class FakeVm implements ProtectedVm {
    private final String name;
    public volatile VmStatus status;
    public volatile List<EpochRecord> epochs = List.of();
    public volatile List<VmEvent> events = List.of();
    public volatile Supplier<CompletableFuture<VerifyReport>> verify =
            () -> CompletableFuture.completedFuture(new VerifyReport(48214, 65536, 0, List.of()));
    public volatile Supplier<CompletableFuture<DiskVerifyReport>> verifyDisks =
            () -> CompletableFuture.completedFuture(new DiskVerifyReport(48214, 48230, 131072, 0, List.of()));
    public volatile Supplier<CompletableFuture<String>> switchover =
            () -> CompletableFuture.completedFuture("beta leads now");
    /** Gets the order with its argument, as in {@code leave beta}. */
    public volatile Function<String, CompletableFuture<String>> order = CompletableFuture::completedFuture;

    public FakeVm(String name) {
        this.name = name;
        this.status = status(name, true, "Both replicas are in sync.");
    }

    public static VmStatus status(String vm, boolean protectedNow, String message) {
        return status(vm, protectedNow, message, List.of());
    }

    public static VmStatus status(String vm, boolean protectedNow, String message, List<String> notes) {
        return new VmStatus(vm, "alpha", Role.PRIMARY, protectedNow, message, "", notes, 3, "alpha", 48213,
                List.of(new MemberStatus("alpha", "replica", true, true, true, true, false, 0, -1),
                        new MemberStatus("beta", "replica", false, true, protectedNow, true, false, 0, 210),
                        new MemberStatus("gamma", "witness", false, false, false, true, false, 125_000, 1350)),
                12, 14500, 30, 2048, 15, 132, 93.42, new Percentiles(512, 1.84, 6.2, 14.1), new Percentiles(512, 25, 40.5, 120),
                new Percentiles(512, 900, 4000, 12345), new Percentiles(512, 12600, 1258291, 3565158),
                new Percentiles(9000, 180, 420, 2100), 48213, 3, 0, -1, "xxh3", "idle", "tcp");
    }

    /** The same, with clients that have to wait. */
    public static VmStatus slowed(VmStatus s, String why) {
        return new VmStatus(s.vm(), s.member(), s.role(), s.protectedNow(), s.message(), why, s.notes(), s.view(), s.primary(), s.epoch(),
                s.members(), s.heldFrames(), s.heldBytes(), s.oldestHeldMillis(), s.inputBacklogBytes(), s.quorumMillis(), s.logEntries(),
                s.samePagesPercent(), s.pauseMillis(), s.intervalMillis(), s.dirtyPages(), s.transferredBytes(), s.inputConsensusMicros(),
                s.epochsCommitted(), s.epochsVerified(), s.pagesDiffering(), s.synchronisationPercent(), s.hasher(), s.policy(),
                s.transport());
    }

    public static EpochRecord epoch(long number) {
        return new EpochRecord(number, 3, 25_000, 1_840, 3_100, 2_000, 900, 841, 0, 0, 12_600, 7, "idle", number % 10 == 0 ? 0 : -1);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public VmStatus status() {
        return Objects.requireNonNull(status, "the test broke it");
    }

    @Override
    public List<EpochRecord> epochsSince(long epoch) {
        return epochs.stream().filter(record -> record.epoch() > epoch).toList();
    }

    @Override
    public LatencyCounts inputConsensus() {
        return LatencyCounts.NONE;
    }

    @Override
    public List<VmEvent> eventsSince(long sequence) {
        return events.stream().filter(event -> event.sequence() > sequence).toList();
    }

    @Override
    public CompletableFuture<VerifyReport> verify() {
        return verify.get();
    }

    @Override
    public CompletableFuture<DiskVerifyReport> verifyDisks() {
        return verifyDisks.get();
    }

    @Override
    public CompletableFuture<String> backup(List<String> files) {
        return order.apply("backup " + files);
    }

    @Override
    public CompletableFuture<String> growDisk(int disk, long bytes) {
        return order.apply("grow " + disk + " " + bytes);
    }

    @Override
    public CompletableFuture<String> switchover() {
        return switchover.get();
    }

    @Override
    public CompletableFuture<String> forcePrimary(String confirmation) {
        return order.apply("force-primary " + confirmation);
    }

    @Override
    public CompletableFuture<String> leave(String member) {
        return order.apply("leave " + member);
    }

    @Override
    public CompletableFuture<String> join(String member) {
        return order.apply("join " + member);
    }
}
