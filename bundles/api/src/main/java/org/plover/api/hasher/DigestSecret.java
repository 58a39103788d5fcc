package org.plover.api.hasher;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Stretches the group's secret to the 192 bytes that XXH3 mixes into its input, by HKDF with SHA-256 (RFC 5869). XXH3 only
 * asks that its secret looks random; the caller's 32 bytes are too short for it, and repeating them would let pages with
 * swapped stripes collide.
 *
 * <p>Every provider of XXH3 digests derives the same bytes, or digests from two hosts would never agree.
 */
public final class DigestSecret {
    /** Length of XXH3's own default secret ({@code XXH3_SECRET_DEFAULT_SIZE}), for which the algorithm was tuned and tested. */
    public static final int BYTES = 192;

    private static final int SOURCE_BYTES_MIN = 32;
    private static final byte[] SALT = "org.plover page digest".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] INFO = "XXH3-128".getBytes(StandardCharsets.US_ASCII);

    private DigestSecret() {}

    /** Derives the {@value #BYTES} bytes. Throws IllegalArgumentException if the source is shorter than 32 bytes. */
    public static byte[] derive(byte[] source) {
        if (source.length < SOURCE_BYTES_MIN) {
            throw new IllegalArgumentException("the secret of the page digests has " + source.length + " bytes; give "
                    + SOURCE_BYTES_MIN + " or more");
        }
        byte[] key = hmac(SALT, source);
        byte[] derived = new byte[BYTES];
        byte[] block = new byte[0];
        for (int n = 1, at = 0; at < BYTES; n++, at += block.length) {
            byte[] message = Arrays.copyOf(block, block.length + INFO.length + 1);
            System.arraycopy(INFO, 0, message, block.length, INFO.length);
            message[message.length - 1] = (byte) n;
            block = hmac(key, message);
            System.arraycopy(block, 0, derived, at, block.length);
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
