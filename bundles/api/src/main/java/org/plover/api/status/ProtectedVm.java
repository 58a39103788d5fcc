package org.plover.api.status;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Service: a protected VM on this member, with the property {@code vm.name}. Thread-safe; nothing here blocks. */
public interface ProtectedVm {
    /** Service property: name of the VM. */
    String NAME = "vm.name";

    String name();

    /** A recent snapshot, at most some hundred milliseconds old. */
    VmStatus status();

    /** Records of the epochs after {@code epoch} that this member committed as primary and still remembers, oldest first. */
    List<EpochRecord> epochsSince(long epoch);

    /**
     * Compares all guest memory at the end of an epoch. Completes exceptionally with an IllegalStateException whose message
     * says why, if this member is not the primary or has no backup in sync.
     */
    CompletableFuture<VerifyReport> verify();

    /**
     * Hands the guest over to the backup on purpose. Completes with a sentence for the operator once the backup leads;
     * exceptionally with an IllegalStateException whose message says why it cannot be done now (nothing has changed then).
     */
    CompletableFuture<String> switchover();
}
