package org.plover.api.hasher;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Stretches the session's secret to as many bytes as a hasher needs, by HKDF with SHA-256 (RFC 5869). What is derived for one
 * purpose tells nothing of what is derived for another.
 *
 * <p>Every provider with the same id derives the same bytes, or digests from two hosts would never agree.
 */
public final class DigestSecret {
    /** Length of XXH3's own default secret ({@code XXH3_SECRET_DEFAULT_SIZE}), for which the algorithm was tuned and tested. */
    public static final int BYTES = 192;

    private static final int SOURCE_BYTES_MIN = 32;
    private static final byte[] SALT = "org.plover page digest".getBytes(StandardCharsets.US_ASCII);
    /** Of the hash's 32 bytes, HKDF gives as many at most. */
    private static final int DERIVED_BYTES_MAX = 255 * 32;

    private DigestSecret() {}

    /**
     * Derives the {@value #BYTES} bytes that XXH3 mixes into its input. XXH3 only asks that its secret looks random; the caller's
     * 32 bytes are too short for it, and repeating them would let pages with swapped stripes collide. Throws
     * IllegalArgumentException if the source is shorter than 32 bytes.
     */
    public static byte[] derive(byte[] source) {
        return derive(source, "XXH3-128", BYTES);
    }

    /**
     * Derives bytes for a purpose.
     *
     * @param source  at least 32 bytes
     * @param purpose names what they are for, in ASCII
     * @param bytes   how many, at most 8160
     */
    public static byte[] derive(byte[] source, String purpose, int bytes) {
        if (source.length < SOURCE_BYTES_MIN) {
            throw new IllegalArgumentException("the secret of the page digests has " + source.length + " bytes; give "
                    + SOURCE_BYTES_MIN + " or more");
        }
        if (bytes > DERIVED_BYTES_MAX) {
            throw new IllegalArgumentException(bytes + " bytes are more than HKDF gives, " + DERIVED_BYTES_MAX);
        }
        byte[] info = purpose.getBytes(StandardCharsets.US_ASCII);
        byte[] key = hmac(SALT, source);
        byte[] derived = new byte[bytes];
        byte[] block = new byte[0];
        for (int n = 1, at = 0; at < bytes; n++, at += block.length) {
            byte[] message = Arrays.copyOf(block, block.length + info.length + 1);
            System.arraycopy(info, 0, message, block.length, info.length);
            message[message.length - 1] = (byte) n;
            block = hmac(key, message);
            System.arraycopy(block, 0, derived, at, Math.min(block.length, bytes - at));
        }
        return derived;
    }

    private static byte[] hmac(byte[] key, byte[] message) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java lacks HmacSHA256, which every Java must have", e);
        }
    }
}
