package org.plover.consensus.paxos;

/** Kinds of messages among cores. Every one begins with its kind, flags and the sender's view. */
enum MessageType {
    /** Where the sender stands; the answer to everything out of date (S7), and sent when a link comes up. */
    STATUS,
    /** First replica to virgin members: let us form the group with this membership. */
    FORM,
    /** The membership of {@link #FORM} is on stable storage. */
    FORM_ACK,
    /** Entries, or none (heartbeat), with the leader's commit and truncation index. */
    APPEND,
    /** How far the follower's log equals the leader's, or from where it needs entries. */
    ACK,
    /** Entries up to the leader's base are forgotten; go on after it, with this membership in force. */
    SKIP,
    /** Would you promise me this view? Changes nothing at the receiver, so that a member that hears nobody disturbs nobody. */
    CANVASS,
    /** Answer to {@link #CANVASS}, and refusal of {@link #PREPARE}. */
    CANVASS_REPLY,
    /** Promise me this view. */
    PREPARE,
    /** The view is promised; what the voter's log holds. */
    PROMISE,
    /** Entries of a voter's log that the candidate lacks. */
    LOG,
    /** Leader to a follower: start a new view at once. */
    TAKEOVER;

    private static final MessageType[] ALL = values();

    static MessageType of(byte code) {
        if (code < 0 || code >= ALL.length) {
            throw new IllegalArgumentException("unknown consensus message kind " + code
                    + ": do all members run the same consensus provider and version?");
        }
        return ALL[code];
    }
}
