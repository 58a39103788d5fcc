package org.plover.machine.qemu;

import java.nio.ByteBuffer;
import java.util.List;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How busy the vCPU threads are, from {@code /proc/PID/task/TID/schedstat} (nanoseconds on a CPU), whose files stay open. That
 * number lags behind by up to a scheduler tick while a thread runs on, so a thread that seems to have done nothing is looked at
 * once more: if it is runnable, it counts as busy.
 */
final class VcpuActivity implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VcpuActivity.class);
    private static final int BUFFER_BYTES = 512;
    /** By a signal; a debugger's stop is a small t. */
    private static final char STOPPED = 'T';

    private final int[] schedstat;
    private final int[] stat;
    private final long[] lastRun;
    private final ByteBuffer buffer = Memory.allocate(BUFFER_BYTES);
    private final long address = Memory.addressOf(buffer);
    private long lastNanos = System.nanoTime();
    private boolean stoppedSample;
    private long stoppedSinceNanos = lastNanos;
    private boolean closed;

    VcpuActivity(int pid, List<Integer> threads) throws SystemCallException {
        schedstat = new int[threads.size()];
        stat = new int[threads.size()];
        lastRun = new long[threads.size()];
        for (int i = 0; i < schedstat.length; i++) {
            String task = "/proc/" + pid + "/task/" + threads.get(i);
            schedstat[i] = Linux.open(task + "/schedstat", Linux.O_RDONLY);
            stat[i] = Linux.open(task + "/stat", Linux.O_RDONLY);
        }
    }

    /** As {@link org.plover.api.machine.Machine#sampleActivity}. */
    synchronized int sample() {
        if (closed) {
            return 0;
        }
        long now = System.nanoTime();
        long interval = Math.max(1, now - lastNanos);
        lastNanos = now;
        if (!stoppedSample) {
            stoppedSinceNanos = now;
        }
        stoppedSample = false;
        int busiest = 0;
        try {
            for (int i = 0; i < schedstat.length; i++) {
                long run = leadingNumber(Linux.pread(schedstat[i], address, BUFFER_BYTES, 0));
                long delta = run - lastRun[i];
                lastRun[i] = run;
                int permille = delta > 0 ? (int) Math.min(1000, Math.max(1, delta * 1000 / interval)) : ofIdle(stat[i]);
                busiest = Math.max(busiest, permille);
            }
        } catch (SystemCallException e) {
            LOG.debug("vCPU threads are gone", e);
            return 0;
        }
        return busiest;
    }

    private long leadingNumber(int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            int digit = buffer.get(i) - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            value = value * 10 + digit;
        }
        return value;
    }

    private int ofIdle(int fd) throws SystemCallException {
        char state = state(fd);
        stoppedSample |= state == STOPPED;
        return state == 'R' ? 1000 : 0;
    }

    /** The state is the letter after the name, which is in parentheses and may hold any character but a NUL. */
    private char state(int fd) throws SystemCallException {
        int bytes = Linux.pread(fd, address, BUFFER_BYTES, 0);
        for (int i = bytes - 1; i > 1; i--) {
            if (buffer.get(i - 2) == ')') {
                return (char) buffer.get(i);
            }
        }
        return ' ';
    }

    /** For how long the samples have shown that a signal has stopped the process; 0 if the last one did not. */
    synchronized long stoppedNanos() {
        return stoppedSample ? lastNanos - stoppedSinceNanos : 0;
    }

    /** Whether a signal has stopped the process now. */
    synchronized boolean isStopped() {
        try {
            return !closed && state(stat[0]) == STOPPED;
        } catch (SystemCallException e) {
            LOG.debug("vCPU threads are gone", e);
            return false;
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            for (int i = 0; i < schedstat.length; i++) {
                Threads.closeQuietly(schedstat[i], LOG);
                Threads.closeQuietly(stat[i], LOG);
            }
        }
    }
}
