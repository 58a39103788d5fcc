package org.plover.api.identity;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.cert.Certificate;
import java.util.Arrays;
import java.util.HexFormat;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;

/**
 * This appliance's own key, from the files that {@code plover init} has made.
 *
 * @param managers    give the key to TLS
 * @param fingerprint of its public half, as others pin it
 * @param version     tells one state of the files from another
 */
public record Identity(KeyManager[] managers, String fingerprint, Object version) {
    /** In the data directory. Who can read both can pretend to be this member. */
    public static final String KEY_FILE = "identity.p12";
    public static final String PASSWORD_FILE = "identity-password";
    private static final int FILE_BYTES_MAX = 1 << 20;

    private record FileVersion(Object key, long millis, long bytes) {
    }

    /**
     * Reads the files; takes some milliseconds.
     *
     * @param directory the appliance's data directory
     * @throws IOException in one sentence, if the files are missing or cannot be used
     */
    public static Identity load(Path directory) throws IOException {
        return load(directory, KEY_FILE);
    }

    /** The same for a key file of another name. */
    public static Identity load(Path directory, String keyFile) throws IOException {
        Path file = directory.resolve(keyFile);
        char[] password = null;
        try (InputStream in = Files.newInputStream(file)) {
            // Taken before the content is read: a change in between is noticed the next time.
            Object version = versionOf(file);
            password = Files.readString(directory.resolve(PASSWORD_FILE)).strip().toCharArray();
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(new ByteArrayInputStream(in.readNBytes(FILE_BYTES_MAX)), password);
            KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, password);
            String alias = store.aliases().hasMoreElements() ? store.aliases().nextElement() : null;
            Certificate certificate = alias == null || !store.isKeyEntry(alias) ? null : store.getCertificate(alias);
            if (certificate == null) {
                throw new IOException(file + " holds no key; move it away and let 'plover init' make one");
            }
            return new Identity(factory.getKeyManagers(), fingerprint(certificate.getPublicKey()), version);
        } catch (NoSuchFileException e) {
            throw new IOException("this appliance has no identity: " + e.getFile() + " is missing; 'plover init' makes one", e);
        } catch (GeneralSecurityException e) {
            throw new IOException(file + " cannot be used: " + e.getMessage(), e);
        } finally {
            if (password != null) {
                Arrays.fill(password, ' ');
            }
        }
    }

    /** Changes when the key file is replaced or rewritten. */
    public static Object version(Path directory) throws IOException {
        return versionOf(directory.resolve(KEY_FILE));
    }

    private static Object versionOf(Path path) throws IOException {
        BasicFileAttributes file = Files.readAttributes(path, BasicFileAttributes.class);
        return new FileVersion(file.fileKey(), file.lastModifiedTime().toMillis(), file.size());
    }

    /** {@code sha256:} and the digest of the key's standard encoding (SubjectPublicKeyInfo). */
    public static String fingerprint(PublicKey key) {
        try {
            return "sha256:" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(key.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
