package org.plover.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/**
 * A few descriptors to wait on, for instance a tap and the eventfd that ends its reader. Not thread-safe; allocates
 * nothing once made.
 */
public final class PollSet {
    /** There is something to read, or the peer is gone. */
    public static final int IN = 1;
    /** There is room to write. */
    public static final int OUT = 4;
    private static final int ERROR_OR_HANGUP = 0x8 | 0x10 | 0x20;
    private static final int STRUCT_BYTES = 8;

    private final ByteBuffer structs;
    private final long address;
    private final int count;

    /** Waits for {@link #IN} on each of the descriptors. */
    public PollSet(int... fds) {
        count = fds.length;
        structs = Memory.allocate(count * STRUCT_BYTES);
        address = Memory.addressOf(structs);
        for (int i = 0; i < count; i++) {
            structs.putInt(i * STRUCT_BYTES, fds[i]);
            setInterest(i, IN);
        }
    }

    /** Chooses what to wait for on the descriptor with the given index: {@link #IN}, {@link #OUT}, both or 0. */
    public void setInterest(int index, int events) {
        structs.putShort(index * STRUCT_BYTES + 4, (short) events);
    }

    /**
     * Blocks until something happens on any of them.
     *
     * @param timeoutMillis -1 waits without end, 0 not at all
     * @return whether something happened before the time was over
     */
    public boolean await(int timeoutMillis) throws SystemCallException {
        try {
            return Linux.poll(address, count, timeoutMillis) > 0;
        } finally {
            Reference.reachabilityFence(structs);
        }
    }

    /** After {@link #await}: a read would not block (it may report an end or an error). */
    public boolean isReadable(int index) {
        return (events(index) & (IN | ERROR_OR_HANGUP)) != 0;
    }

    /** After {@link #await}: a write would not block (it may report an error). */
    public boolean isWritable(int index) {
        return (events(index) & (OUT | ERROR_OR_HANGUP)) != 0;
    }

    private int events(int index) {
        return structs.getShort(index * STRUCT_BYTES + 6);
    }
}
