package org.plover.control.cli;

import java.util.concurrent.Callable;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Adds a pin to those that are there. */
@Command(name = "pin",
        header = "Lets this member believe another member's key.",
        description = {
            "",
            "Adds to the pins in org.plover.peers, from where its file follows. Takes effect at once. To remove one, edit the file.",
            "",
            "Example: plover pin gamma=sha256:<64 hexadecimal digits>",
            ""})
final class PinCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Parameters(paramLabel = "MEMBER=FINGERPRINT", description = "What 'plover identity --name MEMBER' prints on that host.")
    private String pin;

    @Override
    public Integer call() {
        int equals = pin.indexOf('=');
        if (equals < 1) {
            throw new CliException(Exit.USAGE, "'" + pin + "' is not MEMBER=sha256:FINGERPRINT");
        }
        try (ControlClient client = main.connect()) {
            client.call(ControlClient.request(Protocol.ENROL).add(Protocol.MEMBER, pin.substring(0, equals))
                    .add(Protocol.FINGERPRINT, new KeyFiles(main.data()).fingerprint()).add(Protocol.PIN, pin.substring(equals + 1)),
                    TimeoutOption.ANSWER_SECONDS);
            main.terminal.out.println(pin.substring(0, equals) + " is believed with that key from now on.");
            return Exit.OK;
        }
    }
}
