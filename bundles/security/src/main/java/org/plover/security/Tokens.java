package org.plover.security;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Texts that nobody can guess and that are the same for the same user as long as the appliance runs. Thread-safe. */
final class Tokens {
    private static final String ALGORITHM = "HmacSHA256";
    private final SecretKeySpec key;

    Tokens() {
        byte[] octets = new byte[32];
        new SecureRandom().nextBytes(octets);
        key = new SecretKeySpec(octets, ALGORITHM);
    }

    String of(String user) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(keyed(user.getBytes(StandardCharsets.UTF_8)));
    }

    /** What comes of the octets and of what this object alone knows. */
    byte[] keyed(byte[]... parts) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            for (byte[] part : parts) {
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
        }
    }
}
