package org.plover.control;

import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.spi.JsonProvider;
import org.plover.api.control.Caller;
import org.plover.control.wire.Protocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets a new host know the group, and the group the new host's key. Thread-safe. */
final class Enrolment {
    private static final Logger LOG = LoggerFactory.getLogger(Enrolment.class);
    private static final JsonProvider JSON = JsonProvider.provider();

    private final VmConfigurations configurations;

    Enrolment(VmConfigurations configurations) {
        this.configurations = configurations;
    }

    JsonObject enrol(JsonObject request, Caller caller) throws CommandException {
        String member = Request.needed(request, Protocol.MEMBER);
        String pin = Request.text(request, Protocol.PIN);
        VmConfigurations.Enrolled enrolled = configurations.enrol(member, Request.needed(request, Protocol.FINGERPRINT), pin);
        if (pin != null) {
            LOG.info("member {} is believed with the key {} from now on, by order of {} at the door {}", member, pin, caller.name(), caller.door());
        }
        JsonObjectBuilder files = JSON.createObjectBuilder();
        enrolled.files().forEach(files::add);
        return JSON.createObjectBuilder().add(Protocol.ADDRESS, enrolled.host()).add(Protocol.PINS, JSON.createArrayBuilder(enrolled.pins()))
                .add(Protocol.FILES, files).add(Protocol.OTHERS, JSON.createArrayBuilder(enrolled.others())).build();
    }
}
