package org.plover.control.cli;

import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import jakarta.json.spi.JsonProvider;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Base64;

/**
 * What an operator carries from a member to a new host: where to ask, the key that answers there, and a secret that is good once.
 *
 * @param member      name of the new member
 * @param host        where the inviting host listens
 * @param fingerprint of the inviting host's key
 * @param secret      proves to the inviting host that the caller has this token
 */
record Token(String member, String host, int port, String fingerprint, String secret, Instant expiry) {
    static final String PREFIX = "plover1.";
    private static final JsonProvider JSON = JsonProvider.provider();
    private static final int SECRET_BYTES = 32;

    static String newSecret() {
        byte[] random = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(random);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    String text() {
        String json = JSON.createObjectBuilder().add("member", member).add("host", host).add("port", port).add("key", fingerprint)
                .add("secret", secret).add("expiry", expiry.getEpochSecond()).build().toString();
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }

    static Token of(String text) {
        try {
            String json = new String(Base64.getUrlDecoder().decode(text.strip().substring(PREFIX.length())), StandardCharsets.UTF_8);
            JsonObject o = JSON.createReader(new StringReader(json)).readObject();
            return new Token(o.getString("member"), o.getString("host"), o.getInt("port"), o.getString("key"), o.getString("secret"),
                    Instant.ofEpochSecond(o.getJsonNumber("expiry").longValue()));
        } catch (IllegalArgumentException | JsonException | NullPointerException | ClassCastException e) {
            throw new CliException(Exit.USAGE, "that is no whole token: copy all of what 'plover invite' printed, from " + PREFIX + " to its end", e);
        }
    }

    /** Not by which it is protected, in case it gets into a log. */
    @Override
    public String toString() {
        return "token for " + member + " at " + host + ":" + port;
    }
}
