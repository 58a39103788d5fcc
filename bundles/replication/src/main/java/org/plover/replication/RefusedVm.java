package org.plover.replication;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.plover.api.status.DiskVerifyReport;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.LatencyCounts;
import org.plover.api.status.Percentiles;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.Role;
import org.plover.api.status.VerifyReport;
import org.plover.api.status.VmEvent;
import org.plover.api.status.VmStatus;

/** A configured VM whose member could not be started here: all it can do is to tell operators why. */
final class RefusedVm implements ProtectedVm {
    private final String name;
    private final String member;
    private final String message;
    private final EventLog events;

    /** @param reason what stands in the way, and what to do about it; if that is an IOException, the start is tried again */
    RefusedVm(String name, String member, EventLog events, Exception reason) {
        this.name = name;
        this.events = events;
        this.member = member == null ? "" : member;
        this.message = "has not started: " + what(reason) + (reason instanceof IOException
                ? "; it is tried again every few seconds"
                : "; it starts when the configuration org.plover.vm~" + name + " is changed, or with the appliance");
    }

    /** The file systems' exceptions say where in their message and what elsewhere. */
    private static String what(Exception reason) {
        if (reason instanceof AccessDeniedException denied) {
            return denied.getFile() + ": permission denied; run the appliance as the owner of its data directory";
        }
        return reason.getMessage();
    }

    String message() {
        return message;
    }

    @Override
    public String name() {
        return name;
    }

    /** {@inheritDoc} Without members: this one knows nothing of them. */
    @Override
    public VmStatus status() {
        return new VmStatus(name, member, Role.FAILED, false, message, "", List.of(), 0, "", 0, List.of(), 0, 0, 0, 0, -1, 0, 0,
                Percentiles.NONE, Percentiles.NONE, Percentiles.NONE, Percentiles.NONE, Percentiles.NONE, 0, 0, 0, -1, "", "", "");
    }

    @Override
    public List<EpochRecord> epochsSince(long epoch) {
        return List.of();
    }

    @Override
    public LatencyCounts inputConsensus() {
        return LatencyCounts.NONE;
    }

    @Override
    public List<VmEvent> eventsSince(long sequence) {
        return events.since(sequence);
    }

    @Override
    public CompletableFuture<VerifyReport> verify() {
        return refused();
    }

    @Override
    public CompletableFuture<DiskVerifyReport> verifyDisks() {
        return refused();
    }

    @Override
    public CompletableFuture<String> backup(List<String> files) {
        return refused();
    }

    @Override
    public CompletableFuture<String> switchover() {
        return refused();
    }

    @Override
    public CompletableFuture<String> forcePrimary(String confirmation) {
        return refused();
    }

    @Override
    public CompletableFuture<String> leave(String other) {
        return refused();
    }

    @Override
    public CompletableFuture<String> join(String other) {
        return refused();
    }

    private <T> CompletableFuture<T> refused() {
        return CompletableFuture.failedFuture(new IllegalStateException("this member " + message));
    }
}
