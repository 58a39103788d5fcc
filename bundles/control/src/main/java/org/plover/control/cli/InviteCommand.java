package org.plover.control.cli;

import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Lets a new host become known, without fingerprints copied by hand. */
@Command(name = "invite",
        header = "Prints a token by which a new host joins as a member, and waits for it.",
        description = {
            "",
            "The configuration here must name the member already. 'plover join TOKEN' on the new host makes its key, and gets the other "
                + "members' pins and the configuration; here its pin is added. The token is good once and for a limited time, and only while "
                + "this command runs: keep it from others, whoever has it first is the member.",
            "",
            "Example: plover invite beta --address 192.0.2.1:7399",
            ""})
final class InviteCommand implements Callable<Integer> {
    private static final int PORT = 7399;

    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Parameters(paramLabel = "MEMBER", description = "Name of the new member, as the configuration has it.")
    private String member;

    @Option(names = "--address", paramLabel = "HOST:PORT", description = "Where this host listens for the new one. Default: this member's own "
            + "host in the configuration, port " + PORT + ".")
    private String address;

    @Option(names = "--minutes", paramLabel = "N", defaultValue = "15", description = "How long the token is good, 1 to 1440. Default: ${DEFAULT-VALUE}.")
    private int minutes;

    @Override
    public Integer call() {
        if (minutes < 1 || minutes > 1440) {
            throw new CliException(Exit.USAGE, "--minutes " + minutes + ": should be 1 to 1440");
        }
        PrintWriter out = main.terminal.out;
        String own = new KeyFiles(main.data()).fingerprint();
        JsonObject known = enrol(member, own, null);
        InetSocketAddress at = at(known.getString(Protocol.ADDRESS));
        Duration time = Duration.ofMinutes(minutes);
        try (Enrolment.Host host = new Enrolment.Host(main.data(), at)) {
            Token token = new Token(member, at.getHostString(), host.port(), own, Token.newSecret(), Instant.now().plus(time));
            out.println("On the new host, within " + Format.plural(minutes, "minute") + ":");
            out.println();
            out.println("  plover join " + token.text());
            out.println();
            out.println("Waiting for it at " + at.getHostString() + ":" + host.port() + "; Ctrl-C takes the invitation back.");
            out.flush();
            JsonObject[] given = new JsonObject[1];
            String key = host.await(token, time, (name, fingerprint) -> given[0] = enrol(name, own, fingerprint), text -> {
                out.println(text);
                out.flush();
            });
            if (key == null) {
                throw new CliException(Exit.FAILED, "nobody came; the token is void");
            }
            out.println(member + " has joined with the key " + key + ".");
            String others = given[0].getJsonArray(Protocol.OTHERS).getValuesAs(jakarta.json.JsonString.class).stream()
                    .map(jakarta.json.JsonString::getString).collect(Collectors.joining(" and "));
            if (!others.isEmpty()) {
                out.println("Next, on " + others + ": plover pin " + member + "=" + key);
            }
            return Exit.OK;
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, e.getMessage(), e);
        }
    }

    private InetSocketAddress at(String ownHost) {
        if (address == null) {
            return new InetSocketAddress(ownHost, PORT);
        }
        int colon = address.lastIndexOf(':');
        if (colon < 1 || !address.substring(colon + 1).matches("\\d{1,5}") || Integer.parseInt(address.substring(colon + 1)) > 65535) {
            throw new CliException(Exit.USAGE, "--address " + address + ": should be HOST:PORT");
        }
        return new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
    }

    private JsonObject enrol(String name, String own, String key) {
        try (ControlClient client = main.connect()) {
            var request = ControlClient.request(Protocol.ENROL).add(Protocol.MEMBER, name).add(Protocol.FINGERPRINT, own);
            if (key != null) {
                request.add(Protocol.PIN, key);
            }
            return client.call(request, TimeoutOption.ANSWER_SECONDS).asJsonObject();
        }
    }
}
