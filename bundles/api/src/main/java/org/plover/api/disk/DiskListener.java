package org.plover.api.disk;

/** Receives what happens to a guest's disks without having been asked for. */
public interface DiskListener {
    /**
     * An image or the journal failed on this host; reported once. Requests of the guest that cannot be served are answered
     * with an I/O error from then on, nothing that was acknowledged is lost silently. On any thread.
     *
     * @param reason which file, what happened, what to do
     */
    void onFailed(String reason);
}
