package org.plover.machine.qemu;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plover.linux.Errno;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;

/**
 * Makes another process execute one system call, by ptrace, through a {@code syscall} instruction that it has anyway: nothing
 * of its memory is written. x86-64 only. The process stands still for some hundred microseconds and then goes on, an
 * interrupted call of its own being restarted by the kernel.
 */
final class RemoteSystemCall {
    private static final long PTRACE_SINGLESTEP = 9;
    private static final long PTRACE_GETREGS = 12;
    private static final long PTRACE_SETREGS = 13;
    private static final long PTRACE_DETACH = 17;
    private static final long PTRACE_SEIZE = 0x4206;
    private static final long PTRACE_INTERRUPT = 0x4207;
    private static final int WAIT_ALL = 0x40000000;

    // Words of struct user_regs_struct.
    private static final int REGS_BYTES = 27 * 8;
    private static final int RAX = 10 * 8;
    private static final int RSI = 13 * 8;
    private static final int RDI = 14 * 8;
    private static final int ORIG_RAX = 15 * 8;
    private static final int RIP = 16 * 8;
    private static final Pattern VDSO = Pattern.compile("(?m)^([0-9a-f]+)-([0-9a-f]+) .*\\[vdso]$");

    private RemoteSystemCall() {
    }

    /**
     * Executes a call with up to two arguments in {@code pid}'s main thread; blocks until it has been done. Uses a thread of its
     * own, because the kernel ties ptrace to one native thread.
     *
     * @return what the call returned, never negative
     */
    static long execute(int pid, String name, long number, long first, long second) throws IOException {
        Object[] outcome = new Object[1];
        Thread tracer = new Thread(() -> {
            try {
                outcome[0] = trace(pid, number, first, second);
            } catch (IOException | RuntimeException e) {
                outcome[0] = e;
            }
        }, "plover-ptrace-" + pid);
        tracer.start();
        Threads.join(tracer);
        if (outcome[0] instanceof IOException e) {
            throw e;
        }
        if (outcome[0] instanceof RuntimeException e) {
            throw e;
        }
        long result = (Long) outcome[0];
        if (result < 0) {
            throw new SystemCallException(name + " within process " + pid, (int) -result);
        }
        return result;
    }

    private static long trace(int pid, long number, long first, long second) throws IOException {
        long syscallAddress = findSyscallInstruction(pid);
        ByteBuffer own = Memory.allocate(REGS_BYTES);
        ByteBuffer regs = Memory.allocate(REGS_BYTES);
        Linux.ptrace("ptrace seize", PTRACE_SEIZE, pid, 0, 0);
        try {
            Linux.ptrace("ptrace interrupt", PTRACE_INTERRUPT, pid, 0, 0);
            awaitStop(pid);
            Linux.ptrace("ptrace getregs", PTRACE_GETREGS, pid, 0, Memory.addressOf(own));
            regs.put(0, own, 0, REGS_BYTES);
            regs.putLong(RIP, syscallAddress).putLong(RAX, number).putLong(RDI, first).putLong(RSI, second);
            // Else the kernel would take our registers for an interrupted call and step back.
            regs.putLong(ORIG_RAX, -1);
            Linux.ptrace("ptrace setregs", PTRACE_SETREGS, pid, 0, Memory.addressOf(regs));
            try {
                Linux.ptrace("ptrace singlestep", PTRACE_SINGLESTEP, pid, 0, 0);
                awaitStop(pid);
                Linux.ptrace("ptrace getregs", PTRACE_GETREGS, pid, 0, Memory.addressOf(regs));
            } finally {
                Linux.ptrace("ptrace setregs", PTRACE_SETREGS, pid, 0, Memory.addressOf(own));
            }
            if (regs.getLong(RIP) != syscallAddress + 2) {
                throw new IOException("process " + pid + " was diverted by a signal while traced: try again");
            }
            return regs.getLong(RAX);
        } finally {
            Reference.reachabilityFence(own);
            Reference.reachabilityFence(regs);
            Linux.ptrace("ptrace detach", PTRACE_DETACH, pid, 0, 0);
        }
    }

    private static void awaitStop(int pid) throws IOException {
        int status = Linux.waitpid(pid, WAIT_ALL);
        if ((status & 0xff) != 0x7f) {
            throw new SystemCallException("process " + pid + " ended while traced", Errno.ESRCH);
        }
    }

    /** The vdso is mapped into every process and holds the instruction in its fallback paths. */
    private static long findSyscallInstruction(int pid) throws IOException {
        Matcher vdso = VDSO.matcher(Files.readString(Path.of("/proc/" + pid + "/maps"), StandardCharsets.ISO_8859_1));
        if (!vdso.find()) {
            throw new IOException("process " + pid + " has no vdso: the kernel was started with vdso=0");
        }
        long start = Long.parseUnsignedLong(vdso.group(1), 16);
        int bytes = (int) (Long.parseUnsignedLong(vdso.group(2), 16) - start);
        ByteBuffer code = Memory.allocate(bytes);
        int mem = Linux.open("/proc/" + pid + "/mem", Linux.O_RDONLY);
        try {
            int n = Linux.pread(mem, Memory.addressOf(code), bytes, start);
            for (int i = 0; i + 1 < n; i++) {
                if (code.get(i) == 0x0f && code.get(i + 1) == 0x05) {
                    return start + i;
                }
            }
        } finally {
            Linux.close(mem);
            Reference.reachabilityFence(code);
        }
        throw new IOException("no syscall instruction in the vdso of process " + pid);
    }
}
