package org.plover.replication.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What clients did to one register and were told, and whether that could have happened one after the other in real time.
 * Every write has a value of its own, which makes the question easy: the operations on one value form a zone of time, and
 * two zones must not be in each other's way (Gibbons and Korach, Testing shared memories, 1997, section 4).
 */
final class RegisterHistory {
    private static final class Zone {
        long firstAnswered = Long.MAX_VALUE;
        long lastInvoked = Long.MIN_VALUE;
        long writeInvoked;
        boolean seen;

        /** The value was certainly there all the time between two moments. */
        boolean isForward() {
            return firstAnswered < lastInvoked;
        }

        long low() {
            return Math.min(firstAnswered, lastInvoked);
        }

        long high() {
            return Math.max(firstAnswered, lastInvoked);
        }
    }

    private final Map<Long, Long> invoked = new TreeMap<>();
    private final Map<Long, Zone> zones = new TreeMap<>();
    private long begun = Long.MIN_VALUE;
    int operations;

    RegisterHistory() {
        begin();
    }

    /** The register is new and holds 0. What clients had been told does not count any more; what is under way may still happen. */
    void begin() {
        zones.keySet().removeIf(value -> !invoked.containsKey(value));
        zones.values().forEach(zone -> zone.seen = false);
        Zone initial = zone(0);
        initial.firstAnswered = begun;
        initial.lastInvoked = begun;
        initial.seen = true;
    }

    private Zone zone(long value) {
        return zones.computeIfAbsent(value, v -> new Zone());
    }

    void invoked(long input, long nanos) {
        invoked.put(input, nanos);
        if ((input & 1) == 1) {
            zone(input).writeInvoked = nanos;
        }
    }

    /** The answer to an input has left: the register held {@code value}. */
    void answered(long input, long value, long nanos) {
        Long since = invoked.remove(input);
        if (since == null) {
            return; // answered before, or asked before the guest was booted anew
        }
        operations++;
        boolean known = value == 0 || zones.containsKey(value);
        SimCluster.check(known, "clients: input " + input + " was answered with " + value + ", which nobody has written");
        Zone zone = zone(value);
        SimCluster.check(value == 0 || zone.writeInvoked <= nanos, "clients: " + value + " was read before it was written");
        zone.seen = true;
        zone.firstAnswered = Math.min(zone.firstAnswered, nanos);
        zone.lastInvoked = Math.max(zone.lastInvoked, since);
        if (value != 0) {
            zone.lastInvoked = Math.max(zone.lastInvoked, zone.writeInvoked);
        }
    }

    /** Throws if the answers contradict each other. */
    void check() {
        List<Map.Entry<Long, Zone>> forward = new ArrayList<>();
        for (Map.Entry<Long, Zone> z : zones.entrySet()) {
            if (z.getValue().seen && z.getValue().isForward()) {
                forward.add(z);
            }
        }
        forward.sort(Comparator.comparingLong(z -> z.getValue().low()));
        for (int i = 1; i < forward.size(); i++) {
            if (forward.get(i - 1).getValue().high() > forward.get(i).getValue().low()) {
                throw new AssertionError("clients: the register held " + forward.get(i - 1).getKey() + " and " + forward.get(i).getKey()
                        + " at the same time");
            }
        }
        for (Map.Entry<Long, Zone> z : zones.entrySet()) {
            if (z.getValue().seen && !z.getValue().isForward()) {
                for (Map.Entry<Long, Zone> f : forward) {
                    if (f.getValue().low() < z.getValue().low() && z.getValue().high() < f.getValue().high()) {
                        throw new AssertionError("clients: " + z.getKey() + " was in the register while " + f.getKey() + " was");
                    }
                }
            }
        }
    }
}
