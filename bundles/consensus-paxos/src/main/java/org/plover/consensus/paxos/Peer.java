package org.plover.consensus.paxos;

/** What a member knows of another one. Fields of the leader are meaningful in its view only. */
final class Peer {
    final int index;
    boolean connected;
    /** {@link #incarnation} is known. */
    boolean wasConnected;
    /** As the transport says with every message. */
    long incarnation;
    /** Last message in this member's view or a newer one. */
    long heardNanos = Long.MIN_VALUE;

    // leader
    /** Last acknowledgement in this view, {@link Long#MIN_VALUE} if there was none. */
    long ackedNanos = Long.MIN_VALUE;
    /** When the newest message was sent, by the leader's clock, that it has answered in this view. */
    long answeredNanos = Long.MIN_VALUE;
    /** Its log equals the leader's up to here. */
    long match;
    /** It says that its acknowledgements count. */
    boolean voting;
    /** Next entry to send. */
    long next;
    long sentNanos;
    /** It has no base to go on from and needs a {@link MessageType#SKIP} first. */
    boolean needsBase;

    // forming
    /** It said, on this link, that no group was formed with it, or only the one being formed. */
    boolean unformed;

    Peer(int index) {
        this.index = index;
    }

    /** A new link: what was sent on the old one may be lost, and the peer may have restarted. */
    void forget(long lastIndex) {
        match = 0;
        voting = false;
        next = lastIndex + 1;
        needsBase = false;
        unformed = false;
        ackedNanos = Long.MIN_VALUE;
        answeredNanos = Long.MIN_VALUE;
    }
}
