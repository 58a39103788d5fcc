package org.plover.api.status;

/**
 * How this member sees another.
 *
 * @param name            its name
 * @param kind            replica or witness
 * @param self            whether it is this member
 * @param connected       whether messages can be exchanged with it
 * @param inSync          whether the agreed in-sync set names it
 * @param votes           whether its vote counts in the group
 * @param left            whether an operator has taken it out of the group
 * @param heardMillis     how long it has not been heard of: 0 while connected, -1 if it never was heard
 * @param roundTripMicros last measured round trip, or -1
 */
public record MemberStatus(String name, String kind, boolean self, boolean connected, boolean inSync, boolean votes, boolean left,
                           long heardMillis, long roundTripMicros) {
}
