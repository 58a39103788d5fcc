package org.plover.api.group;

/** What a member of a group can be used for. */
public enum MemberKind {
    /** Runs a copy of the guest; may be primary or backup. */
    REPLICA,
    /** Takes part in agreement only; never runs the guest and never leads. */
    WITNESS
}
