package org.plover.benchmarks.transport;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.plover.api.identity.Identity;
import org.plover.benchmarks.Defaults;
import org.plover.transport.tcp.Peers;
import org.plover.transport.tcp.PeersConfig;

/** Members that know each other's keys, and members that need none. */
final class BenchmarkKeys implements AutoCloseable {
    private final List<Path> homes = new ArrayList<>();
    private final List<Peers> peers = new ArrayList<>();

    BenchmarkKeys(String... members) throws IOException, InterruptedException {
        List<String> pins = new ArrayList<>();
        for (String member : members) {
            Path home = Files.createTempDirectory("plover-bench-key");
            homes.add(home);
            make(home);
            pins.add(member + "=" + Identity.load(home).fingerprint());
        }
        for (Path home : homes) {
            peers.add(new Peers(Defaults.of(PeersConfig.class, Map.of("pins", pins.toArray(String[]::new))), home));
        }
    }

    Peers of(int member) {
        return peers.get(member);
    }

    static Peers none() {
        return new Peers(Defaults.of(PeersConfig.class, Map.of("security", PeersConfig.NONE)), Path.of("."));
    }

    private static void make(Path home) throws IOException, InterruptedException {
        Path password = Files.writeString(home.resolve(Identity.PASSWORD_FILE), "benchmark\n");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias", "plover",
                "-keyalg", "EC", "-groupname", "secp256r1", "-storetype", "PKCS12", "-keystore", home.resolve(Identity.KEY_FILE).toString(),
                "-storepass:file", password.toString(), "-dname", "CN=plover").redirectErrorStream(true).start();
        String output = new String(keytool.getInputStream().readAllBytes());
        if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
            throw new IOException("keytool: " + output);
        }
    }

    @Override
    public void close() throws IOException {
        for (Path home : homes) {
            Files.delete(home.resolve(Identity.KEY_FILE));
            Files.delete(home.resolve(Identity.PASSWORD_FILE));
            Files.delete(home);
        }
    }
}
