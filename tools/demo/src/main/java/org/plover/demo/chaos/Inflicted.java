package org.plover.demo.chaos;

/**
 * A fault and what came of it.
 *
 * @param atSeconds since the campaign began
 * @param outageMillis longest time in which no client was answered; if the guest was lost, until a client of the new one was
 * @param longestWaitMillis longest time that one client waited
 * @param protectedMillis from the moment in which the fault was taken back until the guest was protected again; -1 if never
 */
record Inflicted(FaultKind kind, String role, double atSeconds, long outageMillis, long longestWaitMillis,
        long protectedMillis) {
    String name() {
        return kind.word + ":" + role;
    }
}
