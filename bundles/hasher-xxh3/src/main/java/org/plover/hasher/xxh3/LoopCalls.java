package org.plover.hasher.xxh3;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.PageManager;
import com.kenai.jffi.Platform;
import com.kenai.jffi.Type;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.plover.api.hasher.DigestSecret;
import org.plover.api.memory.GuestMemory;

/**
 * One call for a whole run of pages, to a small loop of x86-64 code that calls libxxhash for each. Why machine code: the
 * digest comes back in two registers, which Java can only reach through libffi ({@link ForeignCalls}) at a cost that rivals
 * the digest's own; and the loop can prefetch the head of the next page, where the CPU's own prefetcher has nothing to go
 * by. {@code benchmarks/README.md} has the figures.
 *
 * <p>The code is written to a page of its own, which is then made read-only and executable. It follows the System V
 * calling convention (psABI for x86-64, sections 3.2.1 and 3.2.3).
 */
final class LoopCalls implements PageCalls {
    private static final MemoryIO MEMORY = MemoryIO.getInstance();

    /** Lines of the next page to ask for early: enough for libxxhash's own prefetching, which looks 512 bytes ahead, to take over. */
    private static final int PREFETCH_LINES = 8;
    private static final int LINE_BYTES = 64;

    private final long code;
    private final CallContext signature = CallContext.getCallContext(
            Type.SINT64,
            new Type[] {Type.SINT64, Type.SINT64, Type.SINT64, Type.SINT64, Type.SINT64},
            CallingConvention.DEFAULT, false);

    /** Whether there is code for this CPU and operating system. */
    static boolean supported() {
        Platform platform = Platform.getPlatform();
        return platform.getCPU() == Platform.CPU.X86_64 && platform.getOS() == Platform.OS.LINUX;
    }

    /** Throws IOException if this process may not have executable memory. */
    LoopCalls(Xxh3Library library) throws IOException {
        byte[] bytes = assemble(library.function());
        PageManager manager = PageManager.getInstance();
        code = manager.allocatePages(1, PageManager.PROT_READ | PageManager.PROT_WRITE);
        if (code == 0 || code == -1) {
            throw new IOException("no page of memory for machine code");
        }
        MEMORY.putByteArray(code, bytes, 0, bytes.length);
        manager.protectPages(code, 1, PageManager.PROT_READ | PageManager.PROT_EXEC);
        if (!executable(code)) {
            manager.freePages(code, 1);
            throw new IOException("the kernel lets this process have no executable memory of its own");
        }
    }

    /** protectPages does not report errors, and a call into a page that is not executable ends the process. */
    private static boolean executable(long address) throws IOException {
        for (String mapping : Files.readAllLines(Path.of("/proc/self/maps"))) {
            String[] words = mapping.split(" ", 3);
            int dash = words[0].indexOf('-');
            long from = Long.parseUnsignedLong(words[0], 0, dash, 16);
            long to = Long.parseUnsignedLong(words[0], dash + 1, words[0].length(), 16);
            if (Long.compareUnsigned(from, address) <= 0 && Long.compareUnsigned(address, to) < 0) {
                return words[1].startsWith("r-x");
            }
        }
        return false;
    }

    /** void loop(base: rdi, pages: rsi, count: rdx, digests: rcx, secret: r8). */
    private static byte[] assemble(long function) {
        ByteBuffer code = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
        // Registers that the callee keeps. Five pushes also leave the stack aligned to 16 bytes for our own calls.
        put(code, 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56);    // push rbx, rbp, r12, r13, r14
        put(code, 0x48, 0x89, 0xFB);                                  // mov rbx, rdi          base
        put(code, 0x48, 0x89, 0xF5);                                  // mov rbp, rsi          pages
        put(code, 0x4C, 0x8D, 0x24, 0x96);                            // lea r12, [rsi+rdx*4]  end of pages
        put(code, 0x49, 0x89, 0xCD);                                  // mov r13, rcx          digests
        put(code, 0x4D, 0x89, 0xC6);                                  // mov r14, r8           secret
        int next = code.position();
        put(code, 0x48, 0x63, 0x7D, 0x00);                            // movsxd rdi, [rbp]
        put(code, 0x48, 0xC1, 0xE7, 0x0C);                            // shl rdi, 12           4096 bytes a page
        put(code, 0x48, 0x01, 0xDF);                                  // add rdi, rbx
        put(code, 0x48, 0x83, 0xC5, 0x04);                            // add rbp, 4
        put(code, 0x4C, 0x39, 0xE5);                                  // cmp rbp, r12
        put(code, 0x74, 0);                                           // je call: there is no next page
        int skip = code.position();
        put(code, 0x48, 0x63, 0x45, 0x00);                            // movsxd rax, [rbp]
        put(code, 0x48, 0xC1, 0xE0, 0x0C);                            // shl rax, 12
        put(code, 0x48, 0x01, 0xD8);                                  // add rax, rbx
        for (int line = 0; line < PREFETCH_LINES; line++) {
            put(code, 0x0F, 0x18, 0x88);                              // prefetcht0 [rax + line * 64]
            code.putInt(line * LINE_BYTES);
        }
        code.put(skip - 1, (byte) (code.position() - skip));
        put(code, 0xBE);                                              // mov esi, 4096
        code.putInt(GuestMemory.PAGE_BYTES);
        put(code, 0x4C, 0x89, 0xF2);                                  // mov rdx, r14
        put(code, 0xB9);                                              // mov ecx, 192
        code.putInt(DigestSecret.BYTES);
        put(code, 0x48, 0xB8);                                        // mov rax, function
        code.putLong(function);
        put(code, 0xFF, 0xD0);                                        // call rax
        put(code, 0x49, 0x89, 0x45, 0x00);                            // mov [r13], rax        low 64 bits
        put(code, 0x49, 0x89, 0x55, 0x08);                            // mov [r13+8], rdx      high 64 bits
        put(code, 0x49, 0x83, 0xC5, 0x10);                            // add r13, 16
        put(code, 0x4C, 0x39, 0xE5);                                  // cmp rbp, r12
        put(code, 0x0F, 0x85);                                        // jne next
        code.putInt(next - (code.position() + Integer.BYTES));
        put(code, 0x41, 0x5E, 0x41, 0x5D, 0x41, 0x5C, 0x5D, 0x5B);    // pop r14, r13, r12, rbp, rbx
        put(code, 0xC3);                                              // ret
        byte[] bytes = new byte[code.position()];
        code.flip().get(bytes);
        return bytes;
    }

    private static void put(ByteBuffer code, int... bytes) {
        for (int b : bytes) {
            code.put((byte) b);
        }
    }

    @Override
    public void digest(long base, long pages, int count, long digests, long secret) {
        Invoker.getInstance().invokeN5(signature, code, base, pages, count, digests, secret);
    }

    @Override
    public String toString() {
        return "a call for each run of pages";
    }
}
