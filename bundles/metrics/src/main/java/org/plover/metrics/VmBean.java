package org.plover.metrics;

import java.util.function.Predicate;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.VmStatus;

/** Each attribute is read from a status that is a second old at most, so that reading all of them costs one. Thread-safe. */
final class VmBean implements ProtectedVmMBean {
    private static final long KEPT_NANOS = 1_000_000_000;

    private final ProtectedVm vm;
    private VmStatus status;
    private long takenNanos;

    VmBean(ProtectedVm vm) {
        this.vm = vm;
    }

    private synchronized VmStatus status() {
        long now = System.nanoTime();
        if (status == null || now - takenNanos > KEPT_NANOS) {
            status = vm.status();
            takenNanos = now;
        }
        return status;
    }

    private String[] members(Predicate<MemberStatus> which) {
        return status().members().stream().filter(which).map(MemberStatus::name).toArray(String[]::new);
    }

    @Override
    public String getVm() {
        return status().vm();
    }

    @Override
    public String getMember() {
        return status().member();
    }

    @Override
    public String getRole() {
        return status().role().name();
    }

    @Override
    public boolean isProtectedNow() {
        return status().protectedNow();
    }

    @Override
    public String getMessage() {
        return status().message();
    }

    @Override
    public String getSlowed() {
        return status().slowed();
    }

    @Override
    public String[] getNotes() {
        return status().notes().toArray(String[]::new);
    }

    @Override
    public long getView() {
        return status().view();
    }

    @Override
    public String getPrimary() {
        return status().primary();
    }

    @Override
    public long getEpoch() {
        return status().epoch();
    }

    @Override
    public String[] getMembersInSync() {
        return members(MemberStatus::inSync);
    }

    @Override
    public String[] getMembersConnected() {
        return members(MemberStatus::connected);
    }

    @Override
    public int getHeldFrames() {
        return status().heldFrames();
    }

    @Override
    public long getHeldBytes() {
        return status().heldBytes();
    }

    @Override
    public long getOldestHeldMillis() {
        return status().oldestHeldMillis();
    }

    @Override
    public long getInputBacklogBytes() {
        return status().inputBacklogBytes();
    }

    @Override
    public double getSamePagesPercent() {
        return status().samePagesPercent();
    }

    @Override
    public double getPauseMillisMedian() {
        return status().pauseMillis().p50();
    }

    @Override
    public double getPauseMillis99th() {
        return status().pauseMillis().p99();
    }

    @Override
    public double getIntervalMillisMedian() {
        return status().intervalMillis().p50();
    }

    @Override
    public double getInputConsensusMicrosMedian() {
        return status().inputConsensusMicros().p50();
    }

    @Override
    public double getInputConsensusMicros99th() {
        return status().inputConsensusMicros().p99();
    }

    @Override
    public long getEpochsCommitted() {
        return status().epochsCommitted();
    }

    @Override
    public long getEpochsVerified() {
        return status().epochsVerified();
    }

    @Override
    public long getPagesDiffering() {
        return status().pagesDiffering();
    }

    @Override
    public int getSynchronisationPercent() {
        return status().synchronisationPercent();
    }

    @Override
    public String getHasher() {
        return status().hasher();
    }

    @Override
    public String getPolicy() {
        return status().policy();
    }

    @Override
    public String getTransport() {
        return status().transport();
    }
}
