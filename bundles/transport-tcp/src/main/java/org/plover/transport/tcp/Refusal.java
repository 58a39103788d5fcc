package org.plover.transport.tcp;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/**
 * Why a member will not talk to another: the last thing it sends before it hangs up, so that both logs tell the reason.
 *
 * @param text one sentence: what differs and what to do
 */
record Refusal(Code code, String text) {
    /** Kinds of refusals; their numbers are part of the protocol. */
    enum Code {
        /** No protocol version that both speak. */
        VERSION,
        /** Another group. */
        GROUP,
        /** Same group, another member list. */
        MEMBERS,
        /** The caller looks for another member than the one it reached. */
        ADDRESS,
        /** Another live process is this member already. */
        TWICE,
        /** Sent by a later version; the text says it. */
        OTHER
    }

    ByteBuffer encode(Hello mine) {
        ByteBuffer body = ByteBuffer.allocate(Hello.BODY_BYTES_MAX);
        body.putShort((short) code.ordinal());
        Hello.putText(body, text);
        return Hello.frame(Hello.REFUSAL, mine.versionMin(), mine.versionMax(), mine.lane().ordinal(), body.flip());
    }

    static Refusal decode(ByteBuffer body) {
        try {
            int code = body.getShort() & 0xffff;
            return new Refusal(Code.values()[Math.min(code, Code.OTHER.ordinal())], Hello.getText(body));
        } catch (BufferUnderflowException e) {
            return new Refusal(Code.OTHER, "a refusal without a reason");
        }
    }
}
