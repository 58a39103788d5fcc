package org.plover.benchmarks.digest;

import com.kenai.jffi.MemoryIO;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.commons.codec.digest.Blake3;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.plover.api.hasher.PageHasher;
import org.plover.api.memory.GuestMemory;
import org.plover.hasher.aes.AesHasherProvider;
import org.plover.hasher.java.JavaHasherProvider;
import org.plover.hasher.xxh3.Xxh3HasherProvider;
import sun.misc.Unsafe;

/** Digests of pages in random order, beside the plainest ways to read the same pages. A score is the time of one page. */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(DigestBenchmark.PAGES_PER_CALL)
public class DigestBenchmark {
    static final int MEMORY_BYTES = 64 << 20;
    static final int PAGES = MEMORY_BYTES / GuestMemory.PAGE_BYTES;
    static final int PAGES_PER_CALL = 256;

    private static final Unsafe UNSAFE = unsafe();

    /** Memory that is shared and mapped from a file in RAM, as a guest's is; it exceeds the caches. */
    @State(Scope.Benchmark)
    public static class Guest {
        final int[] pages = new int[PAGES];
        long base;
        PageHasher xxh3;
        PageHasher java;
        PageHasher aes;
        final byte[] secret = new byte[32];
        private MappedByteBuffer mapping;
        private final AtomicInteger threads = new AtomicInteger();

        @Setup
        public void map() throws IOException {
            Path file = Files.createTempFile(Path.of("/dev/shm"), "plover-benchmark", null);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                mapping = channel.map(FileChannel.MapMode.READ_WRITE, 0, MEMORY_BYTES);
            } finally {
                Files.delete(file);
            }
            base = MemoryIO.getInstance().getDirectBufferAddress(mapping);
            Random random = new Random(MEMORY_BYTES);
            byte[] content = new byte[GuestMemory.PAGE_BYTES];
            for (int p = 0; p < PAGES; p++) {
                random.nextBytes(content);
                mapping.put(content);
                int q = random.nextInt(p + 1);
                pages[p] = pages[q];
                pages[q] = p;
            }
            random.nextBytes(secret);
            xxh3 = new Xxh3HasherProvider().create(secret);
            java = new JavaHasherProvider().create(secret);
            aes = new AesHasherProvider().create(secret);
        }

        @TearDown
        public void close() {
            xxh3.close();
            java.close();
            aes.close();
        }
    }

    /** Where in the random order a thread is; each starts in another part. */
    @State(Scope.Thread)
    public static class Cursor {
        final long[] digests = new long[2 * PAGES];
        final long copy = UNSAFE.allocateMemory(GuestMemory.PAGE_BYTES);
        final byte[] page = new byte[GuestMemory.PAGE_BYTES];
        Mac hmac;
        Blake3 blake3;
        private int next;

        @Setup
        public void start(Guest guest) throws GeneralSecurityException {
            hmac = Mac.getInstance("HmacSHA256");
            hmac.init(new SecretKeySpec(guest.secret, "HmacSHA256"));
            blake3 = Blake3.initKeyedHash(guest.secret);
            next = guest.threads.getAndIncrement() * PAGES / Runtime.getRuntime().availableProcessors() / PAGES_PER_CALL
                    * PAGES_PER_CALL % PAGES;
        }

        int next() {
            int from = next;
            next = (from + PAGES_PER_CALL) % PAGES;
            return from;
        }

        @TearDown
        public void free() {
            UNSAFE.freeMemory(copy);
        }
    }

    /** Reads every long of the pages: what no digest in Java can beat. */
    @Benchmark
    public long sum(Guest guest, Cursor cursor) {
        int from = cursor.next();
        long sum = 0;
        for (int i = from; i < from + PAGES_PER_CALL; i++) {
            sum += sumOfPage(guest.base + (long) guest.pages[i] * GuestMemory.PAGE_BYTES);
        }
        return sum;
    }

    private static long sumOfPage(long page) {
        long a = 0;
        long b = 0;
        long c = 0;
        long d = 0;
        for (int at = 0; at < GuestMemory.PAGE_BYTES; at += 4 * Long.BYTES) {
            a += UNSAFE.getLong(page + at);
            b += UNSAFE.getLong(page + at + 8);
            c += UNSAFE.getLong(page + at + 16);
            d += UNSAFE.getLong(page + at + 24);
        }
        return a + b + c + d;
    }

    /** Copies each page over the one before, so that only the reading goes to memory. */
    @Benchmark
    public long memcpy(Guest guest, Cursor cursor) {
        int from = cursor.next();
        for (int i = from; i < from + PAGES_PER_CALL; i++) {
            UNSAFE.copyMemory(guest.base + (long) guest.pages[i] * GuestMemory.PAGE_BYTES, cursor.copy, GuestMemory.PAGE_BYTES);
        }
        return UNSAFE.getLong(cursor.copy);
    }

    @Benchmark
    public long xxh3(Guest guest, Cursor cursor) {
        return digest(guest.xxh3, guest, cursor);
    }

    @Benchmark
    public long java(Guest guest, Cursor cursor) {
        return digest(guest.java, guest, cursor);
    }

    @Benchmark
    public long aes(Guest guest, Cursor cursor) {
        return digest(guest.aes, guest, cursor);
    }

    /** What {@code aes} was chosen instead of: a standard MAC of the JDK. */
    @Benchmark
    public long hmac(Guest guest, Cursor cursor) {
        int from = cursor.next();
        long found = 0;
        for (int i = from; i < from + PAGES_PER_CALL; i++) {
            found += cursor.hmac.doFinal(copied(guest, cursor, i))[0];
        }
        return found;
    }

    /** And keyed BLAKE3 in Java, by Apache Commons Codec. */
    @Benchmark
    public long blake3(Guest guest, Cursor cursor) {
        int from = cursor.next();
        long found = 0;
        byte[] digest = new byte[2 * Long.BYTES];
        for (int i = from; i < from + PAGES_PER_CALL; i++) {
            cursor.blake3.reset().update(copied(guest, cursor, i)).doFinalize(digest);
            found += digest[0];
        }
        return found;
    }

    private static byte[] copied(Guest guest, Cursor cursor, int i) {
        UNSAFE.copyMemory(null, guest.base + (long) guest.pages[i] * GuestMemory.PAGE_BYTES, cursor.page, Unsafe.ARRAY_BYTE_BASE_OFFSET,
                GuestMemory.PAGE_BYTES);
        return cursor.page;
    }

    private static long digest(PageHasher hasher, Guest guest, Cursor cursor) {
        int from = cursor.next();
        hasher.digest(guest.base, guest.pages, from, from + PAGES_PER_CALL, cursor.digests);
        return cursor.digests[2 * from];
    }

    private static Unsafe unsafe() {
        try {
            Field field = Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return (Unsafe) field.get(null);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
