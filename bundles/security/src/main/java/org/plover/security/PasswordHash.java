package org.plover.security;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * A password, as far as it may be stored: PBKDF2 with HMAC-SHA-256. Comparing takes about a tenth of a second on purpose.
 *
 * @param iterations how often the function is applied
 * @param salt       random octets
 * @param hash       what comes out for the right password
 */
record PasswordHash(int iterations, byte[] salt, byte[] hash) {
    /** As OWASP recommends for this function (Password Storage Cheat Sheet, 2023). */
    private static final int ITERATIONS = 600_000;
    private static final int SALT_BYTES = 16;
    private static final int HASH_BITS = 256;
    private static final SecureRandom RANDOM = new SecureRandom();

    /** Nobody has a password of this hash. To compare with where there is no user, so that it takes as long. */
    static final PasswordHash OF_NOBODY = new PasswordHash(ITERATIONS, new byte[SALT_BYTES], new byte[HASH_BITS / 8]);

    static PasswordHash of(char[] password) {
        byte[] salt = new byte[SALT_BYTES];
        RANDOM.nextBytes(salt);
        return new PasswordHash(ITERATIONS, salt, derive(password, salt, ITERATIONS));
    }

    boolean matches(char[] password) {
        return MessageDigest.isEqual(hash, derive(password, salt, iterations));
    }

    /** One word, for a file. */
    String text() {
        Base64.Encoder base64 = Base64.getEncoder().withoutPadding();
        return iterations + "$" + base64.encodeToString(salt) + "$" + base64.encodeToString(hash);
    }

    /** @throws IllegalArgumentException if it is no {@link #text} */
    static PasswordHash parse(String text) {
        String[] parts = text.split("\\$");
        if (parts.length != 3) {
            throw new IllegalArgumentException("a password's hash has three parts");
        }
        PasswordHash parsed = new PasswordHash(Integer.parseInt(parts[0]), Base64.getDecoder().decode(parts[1]), Base64.getDecoder().decode(parts[2]));
        if (parsed.iterations < 1000 || parsed.salt.length < 8 || parsed.hash.length * 8 != HASH_BITS) {
            throw new IllegalArgumentException("a password's hash is too weak to be one of ours");
        }
        return parsed;
    }

    private static byte[] derive(char[] password, byte[] salt, int iterations) {
        PBEKeySpec spec = new PBEKeySpec(password, salt, iterations, HASH_BITS);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has PBKDF2WithHmacSHA256", e);
        } finally {
            spec.clearPassword();
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PasswordHash that && iterations == that.iterations && Arrays.equals(salt, that.salt) && Arrays.equals(hash, that.hash);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(salt);
    }

    @Override
    public String toString() {
        return "PasswordHash";
    }
}
