package org.plover.transport.tcp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.Security;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.plover.api.identity.Identity;

/** Keys as operators make them, made once for all tests, and what members are configured with. */
final class Keys implements AutoCloseable {
    static final List<String> MEMBERS = List.of("ann", "bob", "wit");
    private static final List<Path> MADE = new ArrayList<>();

    static {
        // TLS changes its keys after 137 GB, of which no test would live to see the end: here after 4 MiB, so that every longer one does.
        Security.setProperty("jdk.tls.keyLimits", "AES/GCM/NoPadding KeyUpdate 2^22");
    }

    private final Path directory;
    private final List<Peers> peers = new ArrayList<>();

    /** Every member has a key of its own, and its pin is known to all. */
    Keys() throws IOException {
        directory = Files.createTempDirectory("plover-keys");
        List<String> pins = new ArrayList<>();
        for (int i = 0; i < MEMBERS.size(); i++) {
            use(i, i);
            pins.add(pin(i, i));
        }
        for (int i = 0; i < MEMBERS.size(); i++) {
            peers.add(new Peers(config(PeersConfig.TLS, pins), home(i)));
        }
    }

    static Peers plain() {
        return new Peers(config(PeersConfig.NONE, List.of()), Path.of("nowhere"));
    }

    static PeersConfig config(String security, List<String> pins) {
        Map<String, Object> values = new HashMap<>(Map.of("security", security, "pins", pins.toArray(String[]::new)));
        return (PeersConfig) Proxy.newProxyInstance(PeersConfig.class.getClassLoader(), new Class<?>[] {PeersConfig.class},
                (proxy, method, args) -> method.getName().equals("annotationType") ? (Class<? extends Annotation>) PeersConfig.class
                        : values.get(method.getName()));
    }

    Peers peers(int member) {
        return peers.get(member);
    }

    /** The pin of a member that has the key of that number. */
    static String pin(int member, int key) throws IOException {
        return MEMBERS.get(member) + "=" + Identity.load(made(key)).fingerprint();
    }

    /** Gives a member the key of that number, as an operator does while it runs. */
    void use(int member, int key) throws IOException {
        Files.createDirectories(home(member));
        for (String file : List.of(Identity.PASSWORD_FILE, Identity.KEY_FILE)) {
            Path next = home(member).resolve(file + ".next");
            Files.copy(made(key).resolve(file), next, StandardCopyOption.REPLACE_EXISTING);
            Files.move(next, home(member).resolve(file), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    Path home(int member) {
        return directory.resolve(MEMBERS.get(member));
    }

    private static synchronized Path made(int number) {
        while (MADE.size() <= number) {
            try {
                MADE.add(make(Files.createTempDirectory("plover-key")));
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        return MADE.get(number);
    }

    private static Path make(Path home) throws IOException, InterruptedException {
        home.toFile().deleteOnExit();
        Path password = Files.writeString(home.resolve(Identity.PASSWORD_FILE), "test-password\n");
        Path key = home.resolve(Identity.KEY_FILE);
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias", "plover",
                "-keyalg", "EC", "-groupname", "secp256r1", "-storetype", "PKCS12", "-keystore", key.toString(), "-storepass:file", password.toString(),
                "-dname", "CN=plover", "-validity", "1").redirectErrorStream(true).start();
        String output = new String(keytool.getInputStream().readAllBytes());
        if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
            throw new IOException("keytool: " + output);
        }
        key.toFile().deleteOnExit();
        password.toFile().deleteOnExit();
        return home;
    }

    @Override
    public void close() {
        peers.forEach(Peers::deactivate);
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
