package org.plover.transport.tcp;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.plover.api.group.Group;
import org.plover.api.transport.Lane;

/**
 * What one side says of itself when a connection begins. The caller sends a HELLO, the called side answers with a WELCOME of the
 * same form or with a {@link Refusal}, the caller ends with READY, after which frames follow.
 *
 * <p>On the wire: {@link #MAGIC}, type, lowest and highest version the sender speaks, lane (a byte each), the length of the body
 * (four bytes), the body. This form and the fields of version 1 are for ever: a later version appends fields, which an older one
 * skips, so that members of different versions can at least tell each other so in a sentence.
 *
 * @param versionMin  lowest protocol version this side speaks
 * @param versionMax  highest; both sides use the highest that both speak
 * @param from        index of the member that says this
 * @param to          index of the member it believes it speaks to
 * @param incarnation of the member's stable storage
 * @param instance    drawn anew by every opened transport: tells one process from another that claims to be the same member
 * @param session     number of the connection attempt, rising per instance: tells which two lanes belong together
 */
record Hello(int versionMin, int versionMax, Lane lane, int from, int to, long incarnation, long instance, long session,
             String name, String group, String fingerprint) {
    static final int MAGIC = 0x504c5652; // "PLVR"
    static final int HELLO = 1;
    static final int WELCOME = 2;
    static final int READY = 3;
    static final int REFUSAL = 4;

    static final int PREFIX_BYTES = 12;
    /** Room for the longest member list in words, many times over. */
    static final int BODY_BYTES_MAX = 64 << 10;
    private static final int TEXT_BYTES_MAX = 16 << 10;

    /** The fixed beginning of every handshake frame. */
    record Prefix(int magic, int type, int versionMin, int versionMax, int lane, int bodyBytes) {
        static Prefix decode(ByteBuffer in) {
            return new Prefix(in.getInt(), in.get() & 0xff, in.get() & 0xff, in.get() & 0xff, in.get() & 0xff, in.getInt());
        }
    }

    ByteBuffer encode(int type) {
        ByteBuffer body = ByteBuffer.allocate(BODY_BYTES_MAX);
        body.put((byte) from).put((byte) to).putLong(incarnation).putLong(instance).putLong(session);
        putText(body, name);
        putText(body, group);
        putText(body, fingerprint);
        return frame(type, versionMin, versionMax, lane.ordinal(), body.flip());
    }

    ByteBuffer encodeReady() {
        return frame(READY, versionMin, versionMax, lane.ordinal(), ByteBuffer.allocate(0));
    }

    static Hello decode(Prefix prefix, ByteBuffer body) throws IOException {
        if (prefix.lane() >= Lane.values().length) {
            throw new IOException("lane " + prefix.lane() + " is unknown");
        }
        try {
            int from = body.get();
            int to = body.get();
            return new Hello(prefix.versionMin(), prefix.versionMax(), Lane.values()[prefix.lane()], from, to,
                    body.getLong(), body.getLong(), body.getLong(), getText(body), getText(body), getText(body));
        } catch (BufferUnderflowException e) {
            throw new IOException("the handshake of " + prefix.bodyBytes() + " bytes is cut short", e);
        }
    }

    static ByteBuffer frame(int type, int versionMin, int versionMax, int lane, ByteBuffer body) {
        return ByteBuffer.allocateDirect(PREFIX_BYTES + body.remaining())
                .putInt(MAGIC).put((byte) type).put((byte) versionMin).put((byte) versionMax).put((byte) lane)
                .putInt(body.remaining()).put(body).flip();
    }

    static void putText(ByteBuffer out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int count = Math.min(bytes.length, TEXT_BYTES_MAX);
        out.putShort((short) count).put(bytes, 0, count);
    }

    /** Text from the network as it may stand in a log line. */
    static String getText(ByteBuffer in) {
        byte[] bytes = new byte[Math.min(in.getShort() & 0xffff, in.remaining() + 1)];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?");
    }

    /**
     * Why this side will not talk to the other, or null if it will. Both sides judge by the same rules; whoever finds the fault
     * first tells it to the other, so the sentence names both and suits both logs.
     *
     * @param mine  what this side says of itself; {@code to} is the member it believes to speak to, or what the caller claims
     * @param where the other side's address
     */
    static Refusal judge(Group group, Hello mine, Hello theirs, String where) {
        String me = "member '" + mine.name + "'";
        String them = "member '" + theirs.name + "' (" + where + ")";
        if (theirs.versionMax < mine.versionMin || theirs.versionMin > mine.versionMax) {
            return new Refusal(Refusal.Code.VERSION, them + " speaks transport protocol " + theirs.versions() + ", " + me + " speaks "
                    + mine.versions() + "; update Plover on member '"
                    + (theirs.versionMax < mine.versionMin ? theirs.name : mine.name) + "'");
        }
        if (!theirs.group.equals(mine.group)) {
            return new Refusal(Refusal.Code.GROUP, them + " belongs to group '" + theirs.group + "', " + me + " to group '" + mine.group
                    + "'; correct the addresses in the member lists, or give each group ports of its own");
        }
        if (!apartFromThird(theirs.fingerprint, mine, theirs).equals(apartFromThird(mine.fingerprint, mine, theirs))) {
            return new Refusal(Refusal.Code.MEMBERS, them + " has another member list than " + me + " in group '" + mine.group
                    + "': " + theirs.fingerprint + " there, " + mine.fingerprint + " here; give every member the same list in the same order");
        }
        if (theirs.from == mine.from) {
            return new Refusal(Refusal.Code.TWICE, "two processes say they are " + me + " of group '" + mine.group
                    + "', one of them at " + where + "; stop one of them");
        }
        if (theirs.to != mine.from || theirs.from != mine.to) {
            return new Refusal(Refusal.Code.ADDRESS, "the address of member '" + memberName(group, mine.to, theirs.to, mine.from)
                    + "' leads to another member: " + them + " and " + me
                    + " met there; check the addresses, their forwarding and listenHost");
        }
        return null;
    }

    /**
     * The member list without the address of the member that takes no part in this handshake: while that one moves to another
     * host, the two that stay must be able to speak although only one of them has been told where to.
     */
    private static String apartFromThird(String fingerprint, Hello mine, Hello theirs) {
        int third = 0 + 1 + 2 - mine.from - theirs.from;
        String[] entries = fingerprint.split(",");
        if (third < 0 || third >= Group.SIZE || third == mine.from || third == theirs.from || entries.length != Group.SIZE) {
            return fingerprint;
        }
        int at = entries[third].indexOf('@');
        entries[third] = at < 0 ? entries[third] : entries[third].substring(0, at);
        return String.join(",", entries);
    }

    /** The member one of the two wanted to reach and did not. */
    private static String memberName(Group group, int mineTo, int theirsTo, int self) {
        int wanted = theirsTo != self ? theirsTo : mineTo;
        return wanted >= 0 && wanted < Group.SIZE ? group.member(wanted).name() : "#" + wanted;
    }

    private String versions() {
        return versionMin == versionMax ? Integer.toString(versionMin) : versionMin + " to " + versionMax;
    }
}
