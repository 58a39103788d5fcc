package org.plover.api.consensus;

/** Kinds of entries in the agreed log. The payload of all but {@link #MEMBERSHIP} means nothing to consensus. */
public enum EntryType {
    /** A frame for the guest. */
    INPUT,
    /** End of an epoch: both guests stop here. */
    SYNC,
    /** A new {@link Membership}. */
    MEMBERSHIP,
    /** Nothing; the first entry of a view, by which the entries of older views become committed. */
    NOOP
}
