package org.plover.linux;

import com.kenai.jffi.MemoryIO;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Raw memory by address: what guest pages are read, compared and copied with. Nothing checks an address; a wrong one
 * crashes the process. No method allocates but {@link #allocate} and {@link #view}.
 */
public final class Memory {
    private static final MemoryIO IO = MemoryIO.getInstance();
    private static final LibC C = LibC.INSTANCE;

    private Memory() {
    }

    /** A zeroed direct buffer in the machine's byte order, for structures handed to the kernel. */
    public static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** A buffer over existing memory, in the machine's byte order; it does not keep that memory alive. */
    public static ByteBuffer view(long address, int bytes) {
        return IO.newDirectByteBuffer(address, bytes).order(ByteOrder.nativeOrder());
    }

    /** Address of a direct buffer's first byte (whatever its position); valid while the buffer is reachable. */
    public static long addressOf(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("a direct buffer is needed, this one is on the heap");
        }
        return IO.getDirectBufferAddress(buffer);
    }

    static long addressOfRemaining(ByteBuffer buffer) {
        return addressOf(buffer) + buffer.position();
    }

    /** Copies memory; the ranges must not overlap. */
    public static void copy(long from, long to, long bytes) {
        IO.copyMemory(from, to, bytes);
    }

    /** Appends memory to a buffer, direct or not, and advances its position. */
    public static void get(long from, ByteBuffer to, int bytes) {
        if (bytes > to.remaining()) {
            throw new IllegalArgumentException(bytes + " bytes do not fit into a buffer with room for " + to.remaining());
        }
        if (to.isDirect()) {
            copy(from, addressOfRemaining(to), bytes);
            Reference.reachabilityFence(to);
        } else {
            IO.getByteArray(from, to.array(), to.arrayOffset() + to.position(), bytes);
        }
        to.position(to.position() + bytes);
    }

    /** Writes a buffer's next bytes, direct or not, to memory and advances its position. */
    public static void put(ByteBuffer from, long to, int bytes) {
        if (bytes > from.remaining()) {
            throw new IllegalArgumentException("the buffer has " + from.remaining() + " of " + bytes + " bytes");
        }
        if (from.isDirect()) {
            copy(addressOfRemaining(from), to, bytes);
            Reference.reachabilityFence(from);
        } else if (from.hasArray()) {
            IO.putByteArray(to, from.array(), from.arrayOffset() + from.position(), bytes);
        } else {
            byte[] copy = new byte[bytes];
            from.get(from.position(), copy);
            IO.putByteArray(to, copy, 0, bytes);
        }
        from.position(from.position() + bytes);
    }

    /** Sets memory to zero. */
    public static void zero(long address, long bytes) {
        IO.setMemory(address, bytes, (byte) 0);
    }

    /** Whether two ranges hold the same bytes. */
    public static boolean equal(long a, long b, long bytes) {
        return C.memcmp(a, b, bytes) == 0;
    }

    public static byte getByte(long address) {
        return IO.getByte(address);
    }

    public static int getInt(long address) {
        return IO.getInt(address);
    }

    public static long getLong(long address) {
        return IO.getLong(address);
    }

    public static void putByte(long address, byte value) {
        IO.putByte(address, value);
    }

    public static void putInt(long address, int value) {
        IO.putInt(address, value);
    }

    public static void putLong(long address, long value) {
        IO.putLong(address, value);
    }
}
