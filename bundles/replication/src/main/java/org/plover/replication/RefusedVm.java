package org.plover.replication;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.Percentiles;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.Role;
import org.plover.api.status.VerifyReport;
import org.plover.api.status.VmStatus;

/** A configured VM whose member could not be started here: all it can do is to tell operators why. */
final class RefusedVm implements ProtectedVm {
    private final String name;
    private final String member;
    private final String message;

    /** @param reason what stands in the way, and what to do about it */
    RefusedVm(String name, String member, String reason) {
        this.name = name;
        this.member = member == null ? "" : member;
        this.message = "has not started: " + reason + "; it starts when the configuration org.plover.vm~" + name
                + " is changed, or with the appliance";
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
        return new VmStatus(name, member, Role.FAILED, false, message, 0, "", 0, List.of(), 0, 0, 0, 0, Percentiles.NONE,
                Percentiles.NONE, Percentiles.NONE, Percentiles.NONE, Percentiles.NONE, 0, 0, 0, -1, "", "", "");
    }

    @Override
    public List<EpochRecord> epochsSince(long epoch) {
        return List.of();
    }

    @Override
    public CompletableFuture<VerifyReport> verify() {
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
