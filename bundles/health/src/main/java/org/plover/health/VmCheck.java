package org.plover.health;

import org.apache.felix.hc.api.FormattingResultLog;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.Role;
import org.plover.api.status.VmStatus;

/**
 * Says how a VM is, in the words of its status: CRITICAL if this member has failed or no majority can be reached, WARN if the
 * VM is not protected, or is being brought in, or something is going on that should not be.
 */
final class VmCheck implements HealthCheck {
    /** As long a silence of the majority as the status puts up with. */
    private static final long QUORUM_MILLIS = 1000;

    private final ProtectedVm vm;

    VmCheck(ProtectedVm vm) {
        this.vm = vm;
    }

    @Override
    public Result execute() {
        VmStatus status = vm.status();
        FormattingResultLog log = new FormattingResultLog();
        String said = status.member() + ": " + status.message();
        if (status.role() == Role.FAILED || !reachesMajority(status)) {
            log.critical("{}", said);
        } else if (!status.protectedNow()) {
            log.warn("{}", said);
        } else {
            log.info("{}", said);
        }
        for (String note : status.notes()) {
            log.warn("{}", note);
        }
        return new Result(log);
    }

    private static boolean reachesMajority(VmStatus status) {
        if (status.role() == Role.PRIMARY && status.quorumMillis() > QUORUM_MILLIS) {
            return false;
        }
        long voters = status.members().stream().filter(MemberStatus::votes).count();
        long reached = status.members().stream().filter(m -> m.votes() && (m.self() || m.connected())).count();
        return reached > voters / 2;
    }
}
