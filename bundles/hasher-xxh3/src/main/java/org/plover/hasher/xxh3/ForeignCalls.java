package org.plover.hasher.xxh3;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Struct;
import com.kenai.jffi.Type;
import org.plover.api.hasher.DigestSecret;
import org.plover.api.memory.GuestMemory;

/**
 * One call by libffi for each page. libffi knows how every CPU returns a struct of two longs, so this is right everywhere;
 * jnr-ffi's interfaces cannot express such a function at all.
 */
final class ForeignCalls implements PageCalls {
    private static final MemoryIO MEMORY = MemoryIO.getInstance();
    private static final int SLOTS = 4;

    private final long function;
    private final CallContext signature = CallContext.getCallContext(
            Struct.newStruct(Type.UINT64, Type.UINT64),
            new Type[] {Type.POINTER, Type.UINT64, Type.POINTER, Type.UINT64},
            CallingConvention.DEFAULT, false);

    ForeignCalls(Xxh3Library library) {
        this.function = library.function();
    }

    @Override
    public void digest(long base, long pages, int count, long digests, long secret) {
        long arguments = MEMORY.allocateMemory(SLOTS * Long.BYTES, false);
        try {
            long[] addresses = {arguments, arguments + 8, arguments + 16, arguments + 24};
            MEMORY.putLongArray(arguments, new long[] {0, GuestMemory.PAGE_BYTES, secret, DigestSecret.BYTES}, 0, SLOTS);
            for (int i = 0; i < count; i++) {
                MEMORY.putLong(arguments, base + (long) MEMORY.getInt(pages + 4L * i) * GuestMemory.PAGE_BYTES);
                Invoker.getInstance().invoke(signature, function, digests + 16L * i, addresses);
            }
        } finally {
            MEMORY.freeMemory(arguments);
        }
    }

    @Override
    public String toString() {
        return "a call for each page";
    }
}
