package org.plover.benchmarks.consensus;

import java.io.IOException;
import java.nio.file.Path;
import org.plover.api.consensus.ConsensusProvider;
import org.plover.api.group.Group;
import org.plover.replication.MemberLoop;

/** A member that proposes nothing: as it is, the witness. */
class FollowerLoop extends MemberLoop {
    FollowerLoop(Group group, Path directory, ConsensusProvider provider) throws IOException {
        super(group, directory, provider);
    }

    @Override
    protected boolean propose() {
        return false;
    }

    @Override
    protected void onTold(int member, long value) {
        onFault("member " + member + " told " + value + " to one that has no use for it", null);
    }

    @Override
    protected void onLost(int member, String reason) {
        // at the end the leader goes first; before that, it notices itself
    }

    @Override
    protected final void onFault(String what, Throwable cause) {
        MemberMain.fail(what, cause);
    }
}
