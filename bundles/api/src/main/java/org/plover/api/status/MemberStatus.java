package org.plover.api.status;

/**
 * How this member sees another.
 *
 * @param name            its name
 * @param kind            replica or witness
 * @param self            whether it is this member
 * @param connected       whether messages can be exchanged with it
 * @param inSync          whether the agreed in-sync set names it
 * @param roundTripMicros last measured round trip, or -1
 */
public record MemberStatus(String name, String kind, boolean self, boolean connected, boolean inSync, long roundTripMicros) {
}
