package org.plover.control.cli;

import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.plover.control.wire.Protocol;

/** This host, on its way into a group. */
final class Newcomer {
    private static final String PEERS_FILE = "org.plover.peers.config";
    /** What a file may be called that another host gives. */
    private static final String VM_FILE = "org\\.plover\\.vm~[A-Za-z0-9._-]+\\.config";

    private final Main main;
    private final Path config;

    /** @param config configuration directory, or null for that of the installation */
    Newcomer(Main main, Path config) {
        this.main = main;
        if (config == null && main.home() == null) {
            throw new CliException(Exit.USAGE, "name this host's configuration directory by --config");
        }
        this.config = config != null ? config : main.home().resolve("config");
    }

    void join(Token token) {
        if (Instant.now().isAfter(token.expiry())) {
            throw new CliException(Exit.FAILED, "the token was good until " + token.expiry() + "; ask for a new one, and compare the hosts' clocks");
        }
        KeyFiles key = new KeyFiles(main.data());
        key.ensure();
        JsonObject answer;
        try {
            answer = Enrolment.ask(main.data(), token);
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, "cannot join by " + token.host() + ":" + token.port() + ": " + e.getMessage()
                    + "; does 'plover invite' still wait there, and can this host reach it?", e);
        }
        if (answer.containsKey(Enrolment.ERROR)) {
            throw new CliException(Exit.FAILED, answer.getString(Enrolment.ERROR));
        }
        PrintWriter out = main.terminal.out;
        out.println("This host is known as " + token.member() + " now, by its key " + key.fingerprint() + ".");
        files(answer).forEach((name, content) -> out.println(place(name, content)));
        out.println("Next: correct what differs on this host, such as paths; 'plover doctor'; 'plover run --config " + config + " --data " + main.data() + "'");
    }

    private static Map<String, String> files(JsonObject answer) {
        Map<String, String> files = new LinkedHashMap<>();
        String pins = answer.getJsonArray(Protocol.PINS).getValuesAs(JsonString.class).stream()
                .map(pin -> '"' + pin.getString().replaceAll("[\\\\\"=]", "\\\\$0") + '"').collect(Collectors.joining(",", "pins=[", "]\n"));
        files.put(PEERS_FILE, pins);
        answer.getJsonObject(Protocol.FILES).forEach((name, content) -> {
            if (!name.matches(VM_FILE)) {
                throw new CliException(Exit.FAILED, "the inviting host gave a file called '" + name + "', which is no configuration of a virtual machine");
            }
            files.put(name, ((JsonString) content).getString());
        });
        return files;
    }

    /** What is there already is not touched. */
    private String place(String name, String content) {
        Path file = config.resolve(name);
        try {
            Files.createDirectories(config);
            if (Files.exists(file) && !Files.readString(file).equals(content)) {
                Path beside = config.resolve(name + ".joined");
                Files.writeString(beside, content);
                return "  " + file + " was there and stays; what the group has is in " + beside + ": compare them";
            }
            Files.writeString(file, content);
            return "  wrote " + file;
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, "cannot write " + file + ": " + e.getMessage() + "; its content has to be:\n" + content, e);
        }
    }
}
