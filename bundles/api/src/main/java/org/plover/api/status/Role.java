package org.plover.api.status;

/** What a member does for a protected VM at the moment. */
public enum Role {
    /** Not yet part of a view: waits for the others. */
    STARTING,
    /** Leads the view; its guest serves clients. */
    PRIMARY,
    /** In sync; its guest could take over. */
    BACKUP,
    /** A replica that is being brought up to the primary's state; could not take over. */
    SYNCHRONISING,
    /** Takes part in agreement only. */
    WITNESS,
    /** Between views. */
    VIEW_CHANGE,
    /** Cannot go on without an operator; {@link VmStatus#message()} says why. */
    FAILED
}
