package org.plover.control.cli;

import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Option;

/** How long to wait for an operation, and for an answer as such. */
final class TimeoutOption {
    /** An answer that needs no operation is there at once, or there is something wrong. */
    static final int ANSWER_SECONDS = 10;
    /** So the appliance's own word on a timeout comes first. */
    private static final int MORE_THAN_THE_APPLIANCE_SECONDS = 10;

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "60",
            description = "Wait so long for the result. Default: ${DEFAULT-VALUE}, at most 3600.")
    private int seconds;

    JsonValue call(ControlClient client, JsonObjectBuilder request) {
        if (seconds < 1 || seconds > Protocol.TIMEOUT_SECONDS_MAX) {
            throw new CliException(Exit.USAGE, "--timeout " + seconds + ": should be 1 to " + Protocol.TIMEOUT_SECONDS_MAX + " seconds");
        }
        return client.call(request.add(Protocol.TIMEOUT_SECONDS, seconds), seconds + MORE_THAN_THE_APPLIANCE_SECONDS);
    }
}
