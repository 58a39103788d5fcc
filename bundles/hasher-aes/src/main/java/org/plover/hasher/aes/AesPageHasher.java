package org.plover.hasher.aes;

import java.lang.reflect.Field;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;
import org.plover.api.hasher.DigestSecret;
import org.plover.api.hasher.PageHasher;
import org.plover.api.memory.GuestMemory;
import sun.misc.Unsafe;

/**
 * A page of 256 blocks m(i) of 16 bytes has the digest {@code E2(sum of E1(m(i) xor d(i)))}, where the sum is exclusive or, E1 and E2
 * are AES-128 under two keys, and the d(i) are 256 secret blocks. It is PMAC (J. Black and P. Rogaway, "A Block-Cipher Mode of Operation
 * for Parallelizable Message Authentication", EUROCRYPT 2002) for messages of one length, with a secret offset drawn for each
 * block instead of computed ones, and a key of its own for the last step. Keys and offsets are derived from the session's secret by HKDF.
 *
 * <p>Why no two pages with one digest can be made without the keys: let two pages differ in block j. Unless m(j) xor d(j) or
 * m'(j) xor d(j) equals one of the other 510 inputs of E1, for which the chance is at most 4 * 255 / 2^128, since d(j) is independent of all else,
 * E1(m(j) xor d(j)) is a value that nothing else in the two sums tells of, and the sums are equal with a chance of at most 1 / (2^128 - 511).
 * E2 is a permutation and adds no collisions. So two pages that were chosen without the keys collide with a chance below 2^-118, whatever they are,
 * as far as AES under a random key looks like a random permutation and HKDF like a random function. A guest that goes on trying learns at
 * most that it has failed: n pairs, n * 2^-118.
 *
 * <p>E2 is for whoever sees digests, on a network without TLS for instance: to him they tell which pages are equal, and nothing of d and E1.
 * A member of the group knows the secret and can make collisions; it can do as it likes with its copy of the guest anyway.
 *
 * <p>Java hands whole pages of ECB to the CPU where that has VAES and AVX-512; elsewhere it goes block by block, and this hasher is several times slower. Calls may overlap freely.
 */
final class AesPageHasher implements PageHasher {
    static final Unsafe UNSAFE = unsafe();
    private static final String ALGORITHM = "AES";
    private static final int KEY_BYTES = 16;
    private static final int BLOCK_BYTES = 16;
    private static final int PAGE_LONGS = GuestMemory.PAGE_BYTES / Long.BYTES;
    private static final int PAGES_PER_PASS = 256;
    private static final long BYTES = Unsafe.ARRAY_BYTE_BASE_OFFSET;
    private static final boolean SWAP = java.nio.ByteOrder.nativeOrder() == java.nio.ByteOrder.BIG_ENDIAN;

    private final SecretKeySpec blockKey;
    private final SecretKeySpec sumKey;
    /** The d(i), in memory order. */
    private final long[] offsets = new long[PAGE_LONGS];
    private final Queue<Worker> idle = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    /** @param secret at least 32 bytes */
    AesPageHasher(byte[] secret) {
        byte[] derived = DigestSecret.derive(secret, "AES-128 PMAC", 2 * KEY_BYTES + GuestMemory.PAGE_BYTES);
        blockKey = new SecretKeySpec(derived, 0, KEY_BYTES, ALGORITHM);
        sumKey = new SecretKeySpec(derived, KEY_BYTES, KEY_BYTES, ALGORITHM);
        for (int i = 0; i < PAGE_LONGS; i++) {
            offsets[i] = UNSAFE.getLong(derived, BYTES + 2 * KEY_BYTES + (long) i * Long.BYTES);
        }
        Arrays.fill(derived, (byte) 0);
        idle.add(new Worker()); // says at once if this Java has no AES
    }

    /** What one thread works with: ciphers are not thread-safe. */
    private final class Worker {
        private final Cipher blocks = cipher(blockKey);
        private final Cipher sums = cipher(sumKey);
        private final byte[] page = new byte[GuestMemory.PAGE_BYTES];
        private final byte[] encrypted = new byte[GuestMemory.PAGE_BYTES];
        private final byte[] sum = new byte[PAGES_PER_PASS * BLOCK_BYTES];
        private final byte[] digest = new byte[PAGES_PER_PASS * BLOCK_BYTES];

        void digest(long base, int[] pages, int from, int to, long[] digests) {
            for (int i = from; i < to; i++) {
                mask(base + (long) pages[i] * GuestMemory.PAGE_BYTES);
                encrypt(blocks, page, GuestMemory.PAGE_BYTES, encrypted);
                addUp((i - from) * BLOCK_BYTES);
            }
            encrypt(sums, sum, (to - from) * BLOCK_BYTES, digest);
            for (int i = 2 * from, at = 0; i < 2 * to; i++, at += Long.BYTES) {
                long value = UNSAFE.getLong(digest, BYTES + at);
                digests[i] = SWAP ? Long.reverseBytes(value) : value;
            }
        }

        private void mask(long address) {
            long[] secret = offsets;
            byte[] into = page;
            for (int i = 0; i < PAGE_LONGS; i++) {
                UNSAFE.putLong(into, BYTES + (long) i * Long.BYTES, UNSAFE.getLong(address + (long) i * Long.BYTES) ^ secret[i]);
            }
        }

        /** In four lanes, so that the processor need not wait for one exclusive or before the next. */
        private void addUp(int at) {
            byte[] from = encrypted;
            long a = 0;
            long b = 0;
            long c = 0;
            long d = 0;
            for (long i = BYTES; i < BYTES + GuestMemory.PAGE_BYTES; i += 4 * Long.BYTES) {
                a ^= UNSAFE.getLong(from, i);
                b ^= UNSAFE.getLong(from, i + 8);
                c ^= UNSAFE.getLong(from, i + 16);
                d ^= UNSAFE.getLong(from, i + 24);
            }
            UNSAFE.putLong(sum, BYTES + at, a ^ c);
            UNSAFE.putLong(sum, BYTES + at + Long.BYTES, b ^ d);
        }
    }

    @Override
    public void digest(long base, int[] pages, int from, int to, long[] digests) {
        Objects.checkFromToIndex(from, to, pages.length);
        Objects.checkFromToIndex(2L * from, 2L * to, digests.length);
        if (closed) {
            throw new IllegalStateException("this page hasher has been closed");
        }
        Worker worker = idle.poll();
        if (worker == null) {
            worker = new Worker();
        }
        for (int start = from; start < to; start += PAGES_PER_PASS) {
            worker.digest(base, pages, start, Math.min(to, start + PAGES_PER_PASS), digests);
        }
        idle.add(worker);
    }

    private static void encrypt(Cipher cipher, byte[] from, int bytes, byte[] into) {
        try {
            int done = cipher.update(from, 0, bytes, into, 0);
            if (done != bytes) {
                throw new IllegalStateException("AES has encrypted " + done + " of " + bytes + " bytes");
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES of this Java does not encrypt whole blocks", e);
        }
    }

    /** ECB is AES alone, block by block: the mode's weakness, that equal blocks look equal, is what the offsets are there for. */
    private static Cipher cipher(SecretKeySpec key) {
        try {
            Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, key);
            return cipher;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java lacks AES, which every Java must have", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        idle.clear();
        Arrays.fill(offsets, 0);
    }

    /** Nothing else in Java 17 reads an address; Java 25 allows it with {@code --sun-misc-unsafe-memory-access=allow}. */
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
