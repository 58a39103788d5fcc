package org.plover.hasher.java;

import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.plover.api.hasher.DigestSecret;
import org.plover.api.memory.GuestMemory;
import sun.misc.Unsafe;

/**
 * XXH3 with 128 bits for inputs of exactly one page and a secret of 192 bytes, by the xxHash specification (Y. Collet,
 * {@code doc/xxhash_spec.md}, "XXH3 Algorithm Overview", large inputs).
 *
 * <p>A page is four blocks of sixteen stripes of eight longs. Every stripe is mixed into eight accumulators with a window
 * of the secret that moves on by one long a stripe; each full block ends with a scramble; the page's last stripe is mixed
 * with a window of its own. Two merges of the accumulators give the two halves of the digest.
 *
 * <p>The accumulators are local variables, not an array, because the compiler then keeps them in registers. Memory is read
 * by Unsafe because nothing else in Java 17 reads an address; Java 25 allows it with
 * {@code --sun-misc-unsafe-memory-access=allow}.
 */
final class PageXxh3 {
    static final Unsafe UNSAFE = unsafe();

    private static final int PRIME32_1 = 0x9E3779B1;
    private static final int PRIME32_2 = 0x85EBCA77;
    private static final int PRIME32_3 = 0xC2B2AE3D;
    private static final long PRIME64_1 = 0x9E3779B185EBCA87L;
    private static final long PRIME64_2 = 0xC2B2AE3D27D4EB4FL;
    private static final long PRIME64_3 = 0x165667B19E3779F9L;
    private static final long PRIME64_4 = 0x85EBCA77C2B2AE63L;
    private static final long PRIME64_5 = 0x27D4EB2F165667C5L;
    private static final long PRIME_MX1 = 0x165667919E3779F9L;
    private static final long LOW_HALF = 0xFFFFFFFFL;
    private static final long SCRAMBLE_PRIME = PRIME32_1 & LOW_HALF;

    private static final int LANES = 8;
    private static final int STRIPE_BYTES = LANES * Long.BYTES;
    private static final int STRIPES_PER_BLOCK = (DigestSecret.BYTES - STRIPE_BYTES) / Long.BYTES;
    private static final int BLOCK_BYTES = STRIPES_PER_BLOCK * STRIPE_BYTES;
    private static final int FULL_BLOCKS = (GuestMemory.PAGE_BYTES - 1) / BLOCK_BYTES;

    /** Where in the secret each step looks ({@code XXH_SECRET_*_START} in the reference implementation). */
    private static final int LAST_STRIPE_AT = DigestSecret.BYTES - STRIPE_BYTES - 7;
    private static final int SCRAMBLE_AT = DigestSecret.BYTES - STRIPE_BYTES;
    private static final int LOW_MERGE_AT = 11;
    private static final int HIGH_MERGE_AT = DigestSecret.BYTES - STRIPE_BYTES - 11;

    private final long[] stripeKeys;
    private final long[] lastStripeKeys;
    private final long[] scrambleKeys;
    private final long[] lowMergeKeys;
    private final long[] highMergeKeys;

    /** @param secret {@link DigestSecret#BYTES} bytes */
    PageXxh3(byte[] secret) {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new UnsupportedOperationException("page digests need a little-endian CPU, this is " + System.getProperty("os.arch"));
        }
        stripeKeys = longs(secret, 0, STRIPES_PER_BLOCK + LANES - 1);
        lastStripeKeys = longs(secret, LAST_STRIPE_AT, LANES);
        scrambleKeys = longs(secret, SCRAMBLE_AT, LANES);
        lowMergeKeys = longs(secret, LOW_MERGE_AT, LANES);
        highMergeKeys = longs(secret, HIGH_MERGE_AT, LANES);
    }

    private static long[] longs(byte[] secret, int at, int count) {
        long[] longs = new long[count];
        ByteBuffer.wrap(secret, at, count * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(longs);
        return longs;
    }

    /** Stores the digest of the page at an address: low half at {@code digests[at]}, high half after it. */
    void digest(long page, long[] digests, int at) {
        long a0 = PRIME32_3 & LOW_HALF;
        long a1 = PRIME64_1;
        long a2 = PRIME64_2;
        long a3 = PRIME64_3;
        long a4 = PRIME64_4;
        long a5 = PRIME32_2 & LOW_HALF;
        long a6 = PRIME64_5;
        long a7 = PRIME32_1 & LOW_HALF;

        long stripe = page;
        for (int block = 0; ; block++) {
            int stripes = block < FULL_BLOCKS ? STRIPES_PER_BLOCK : STRIPES_PER_BLOCK - 1;
            long[] keys = stripeKeys;
            for (int k = 0; k < stripes; k++, stripe += STRIPE_BYTES) {
                long d0 = UNSAFE.getLong(stripe);
                long d1 = UNSAFE.getLong(stripe + 8);
                a0 += d1 + product(d0 ^ keys[k]);
                a1 += d0 + product(d1 ^ keys[k + 1]);
                long d2 = UNSAFE.getLong(stripe + 16);
                long d3 = UNSAFE.getLong(stripe + 24);
                a2 += d3 + product(d2 ^ keys[k + 2]);
                a3 += d2 + product(d3 ^ keys[k + 3]);
                long d4 = UNSAFE.getLong(stripe + 32);
                long d5 = UNSAFE.getLong(stripe + 40);
                a4 += d5 + product(d4 ^ keys[k + 4]);
                a5 += d4 + product(d5 ^ keys[k + 5]);
                long d6 = UNSAFE.getLong(stripe + 48);
                long d7 = UNSAFE.getLong(stripe + 56);
                a6 += d7 + product(d6 ^ keys[k + 6]);
                a7 += d6 + product(d7 ^ keys[k + 7]);
            }
            if (block == FULL_BLOCKS) {
                break;
            }
            long[] s = scrambleKeys;
            a0 = scramble(a0, s[0]);
            a1 = scramble(a1, s[1]);
            a2 = scramble(a2, s[2]);
            a3 = scramble(a3, s[3]);
            a4 = scramble(a4, s[4]);
            a5 = scramble(a5, s[5]);
            a6 = scramble(a6, s[6]);
            a7 = scramble(a7, s[7]);
        }

        long[] l = lastStripeKeys;
        long d0 = UNSAFE.getLong(stripe);
        long d1 = UNSAFE.getLong(stripe + 8);
        long d2 = UNSAFE.getLong(stripe + 16);
        long d3 = UNSAFE.getLong(stripe + 24);
        long d4 = UNSAFE.getLong(stripe + 32);
        long d5 = UNSAFE.getLong(stripe + 40);
        long d6 = UNSAFE.getLong(stripe + 48);
        long d7 = UNSAFE.getLong(stripe + 56);
        a0 += d1 + product(d0 ^ l[0]);
        a1 += d0 + product(d1 ^ l[1]);
        a2 += d3 + product(d2 ^ l[2]);
        a3 += d2 + product(d3 ^ l[3]);
        a4 += d5 + product(d4 ^ l[4]);
        a5 += d4 + product(d5 ^ l[5]);
        a6 += d7 + product(d6 ^ l[6]);
        a7 += d6 + product(d7 ^ l[7]);

        long[] m = lowMergeKeys;
        digests[at] = avalanche(GuestMemory.PAGE_BYTES * PRIME64_1
                + fold(a0 ^ m[0], a1 ^ m[1]) + fold(a2 ^ m[2], a3 ^ m[3])
                + fold(a4 ^ m[4], a5 ^ m[5]) + fold(a6 ^ m[6], a7 ^ m[7]));
        m = highMergeKeys;
        digests[at + 1] = avalanche(~(GuestMemory.PAGE_BYTES * PRIME64_2)
                + fold(a0 ^ m[0], a1 ^ m[1]) + fold(a2 ^ m[2], a3 ^ m[3])
                + fold(a4 ^ m[4], a5 ^ m[5]) + fold(a6 ^ m[6], a7 ^ m[7]));
    }

    /** The product of a long's two halves. */
    private static long product(long x) {
        return (x & LOW_HALF) * (x >>> 32);
    }

    private static long scramble(long accumulator, long key) {
        return (accumulator ^ accumulator >>> 47 ^ key) * SCRAMBLE_PRIME;
    }

    /** The two halves of the unsigned product of 128 bits, by exclusive or. */
    private static long fold(long x, long y) {
        long high = Math.multiplyHigh(x, y) + (x >> 63 & y) + (y >> 63 & x);
        return high ^ x * y;
    }

    private static long avalanche(long x) {
        x = (x ^ x >>> 37) * PRIME_MX1;
        return x ^ x >>> 32;
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
