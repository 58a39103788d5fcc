package org.plover.consensus.paxos.sim;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;

/** What an outside observer has seen, and the promises that must hold over it. */
final class Ledger {
    private static final int GENERATION_SHIFT = 32;
    private final TreeMap<Long, String> entries = new TreeMap<>();
    /** View in which an entry was first delivered. */
    private final TreeMap<Long, Long> views = new TreeMap<>();
    /** Newest one delivered; being durable, it outlives the entry that brought it. */
    private Membership newestMembership;
    private final Map<Long, Integer> leaders = new HashMap<>();
    /** First entry that so many members forgot at once that it may be lost. */
    private long lostable = Long.MAX_VALUE;
    private int formed;
    private long generation;
    long deliveries;

    void formed(Membership first) {
        formed++;
        check(formed == 1, "the group was formed twice");
        newestMembership = first;
    }

    void confirmed(Membership m) {
        if (m.isNewerThan(newestMembership)) {
            newestMembership = m;
        }
    }

    boolean isFormed() {
        return formed > 0;
    }

    void delivered(int member, long view, long index, EntryType type, ByteBuffer payload) {
        deliveries++;
        if (!isOfNewestGeneration(view)) {
            return; // by somebody who does not know yet that the guest was booted anew
        }
        byte[] bytes = new byte[payload.remaining()];
        payload.get(payload.position(), bytes);
        String entry = type + ":" + Arrays.hashCode(bytes) + ":" + bytes.length;
        String other = entries.get(index);
        if (other != null && !other.equals(entry)) {
            check(index >= lostable, "member " + member + " was given " + entry + " as entry " + index + ", another one " + other);
            forgetFrom(index);
            other = null;
        }
        if (other != null) {
            return;
        }
        entries.put(index, entry);
        views.put(index, view);
        if (type == EntryType.MEMBERSHIP) {
            Membership m = Membership.decode(ByteBuffer.wrap(bytes));
            // the witness may be given late what a cold leader's guest had no use for
            newestMembership = m.isNewerThan(newestMembership) ? m : newestMembership;
        }
    }

    long last() {
        return entries.isEmpty() ? 0 : entries.lastKey();
    }

    Membership newestMembership() {
        return newestMembership;
    }

    void leads(int member, long view) {
        Integer other = leaders.putIfAbsent(view, member);
        check(other == null || other == member, "members " + other + " and " + member + " lead view " + view);
    }

    /** A member begins to lead: what was delivered anywhere is in its log, and the newest agreed membership names it. */
    void begins(int member, long incarnation, long view, long commitIndex) {
        leads(member, view);
        if (leaders.keySet().stream().anyMatch(led -> led > view)) {
            return; // it was promised the view long ago and learns so late: it can commit nothing, and need not know what a newer view did
        }
        check(isOfNewestGeneration(view), "member " + member + " leads view " + view + " of a generation that is over");
        check(commitIndex >= last() || lostable <= commitIndex + 1, "member " + member + " leads view " + view + " with a log up to "
                + commitIndex + ", but entries up to " + last() + " were delivered");
        forgetFrom(lostable);
        check(newestMembership().isInSync(member) && newestMembership().incarnation(member) == incarnation, "member " + member
                + " leads view " + view + " but is not in " + newestMembership());
        lostable = Long.MAX_VALUE;
    }

    /** Every generation has a log of its own. */
    private boolean isOfNewestGeneration(long view) {
        if (view >> GENERATION_SHIFT > generation) {
            generation = view >> GENERATION_SHIFT;
            forgetFrom(0);
            lostable = Long.MAX_VALUE;
        }
        return view >> GENERATION_SHIFT == generation;
    }

    private void forgetFrom(long index) {
        entries.tailMap(index, true).clear();
        views.tailMap(index, true).clear();
    }

    /** After a crash: what none of these voters knows to be committed may be lost, if it comes to a cold start. */
    void onlyHeldBy(List<SimNode> voters) {
        for (var e : views.descendingMap().entrySet()) {
            for (SimNode n : voters) {
                if (n.core().commitIndex() >= e.getKey() && n.normalView >= e.getValue()) {
                    return;
                }
            }
            lostable = Math.min(lostable, e.getKey());
        }
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
