package org.plover.control.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.plover.api.identity.Identity;

/** The files of an appliance's key, made by the JDK's keytool. Only their owner can read them, from the first moment on. */
final class KeyFiles {
    /** A key that is going to take the place of the one in use. */
    private static final String NEXT_FILE = "identity-next.p12";
    private static final int PASSWORD_BYTES = 24;
    private static final int KEYTOOL_SECONDS_MAX = 60;

    private final Path data;

    KeyFiles(Path data) {
        this.data = data;
    }

    /** Makes the key if there is none. True if there was none. */
    boolean ensure() {
        if (Files.exists(data.resolve(Identity.KEY_FILE))) {
            return false;
        }
        make(Identity.KEY_FILE);
        return true;
    }

    /** Fingerprint of the key in use. */
    String fingerprint() {
        try {
            return Identity.load(data).fingerprint();
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, e.getMessage(), e);
        }
    }

    /** Makes the key that {@link #activate} puts in place, unless there is one; its fingerprint. */
    String prepare() {
        fingerprint();
        if (!Files.exists(data.resolve(NEXT_FILE))) {
            make(NEXT_FILE);
        }
        try {
            return Identity.load(data, NEXT_FILE).fingerprint();
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, e.getMessage(), e);
        }
    }

    void activate() {
        if (!Files.exists(data.resolve(NEXT_FILE))) {
            throw new CliException(Exit.FAILED, "no new key was prepared in " + data + "; begin with 'plover identity --prepare', and pin what it "
                    + "prints on the other members");
        }
        try {
            Files.move(data.resolve(NEXT_FILE), data.resolve(Identity.KEY_FILE), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw failed("change the key", e);
        }
    }

    private void make(String name) {
        Path scratch = null;
        try {
            Files.createDirectories(data);
            // A directory that nobody else can enter, because keytool makes its file with whatever rights it likes.
            scratch = Files.createTempDirectory(data, ".identity", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Path made = scratch.resolve(name);
            keytool(made, password());
            Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
            Files.move(made, data.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw failed("make a key", e);
        } finally {
            remove(scratch);
        }
    }

    /** The file of the password, which is made with the first key. */
    private Path password() throws IOException {
        Path file = data.resolve(Identity.PASSWORD_FILE);
        if (!Files.exists(file)) {
            byte[] random = new byte[PASSWORD_BYTES];
            new SecureRandom().nextBytes(random);
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, HexFormat.of().formatHex(random) + "\n");
        }
        return file;
    }

    private static void keytool(Path file, Path password) throws IOException {
        Path program = Path.of(System.getProperty("java.home"), "bin", "keytool");
        if (!Files.isExecutable(program)) {
            throw new IOException(program + " is missing; use a Java that has keytool, such as openjdk-17-jre-headless");
        }
        // Nobody looks at the certificate's name and dates: members pin the key.
        Process process = new ProcessBuilder(program.toString(), "-genkeypair", "-alias", "plover", "-keyalg", "EC", "-groupname", "secp256r1",
                "-sigalg", "SHA256withECDSA", "-validity", "36500", "-dname", "CN=plover", "-storetype", "PKCS12", "-keystore", file.toString(),
                "-storepass:file", password.toString()).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            if (!process.waitFor(KEYTOOL_SECONDS_MAX, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IOException("keytool failed: " + output);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private void remove(Path scratch) {
        if (scratch == null) {
            return;
        }
        try (var files = Files.list(scratch)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(scratch);
        } catch (IOException e) {
            throw failed("remove " + scratch, e);
        }
    }

    private CliException failed(String what, IOException e) {
        return new CliException(Exit.FAILED, "cannot " + what + " in " + data + ": " + e.getMessage() + "; run this as the user that runs the appliance", e);
    }
}
