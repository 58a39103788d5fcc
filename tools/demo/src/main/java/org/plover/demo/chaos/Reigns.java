package org.plover.demo.chaos;

import java.util.ArrayList;
import java.util.List;

/**
 * Looks for split brain in what was seen on the wire: from which host each frame of the guest came, and which host had become
 * leader when. Whenever the guest speaks from another host than before, that host must lead a later view than the one
 * before did. A frame of a former host after that is a sighting.
 */
final class Reigns {
    /** A host was made leader. */
    record Leadership(String host, long view, long epochMicros) { }

    /** A frame of the guest came in from a host. */
    record Sender(String host, long epochMicros) { }

    /** The guest was seen to speak from a host that had no right to it. */
    record Sighting(String host, long epochMicros, String why) { }

    private Sender last;
    private Leadership reigning;

    /**
     * Frames and leaderships that are new since the last call.
     *
     * @param senders in the order of time
     * @param leaderships all of them, so that none of the frames is from after one that is missing
     */
    List<Sighting> judge(List<Sender> senders, List<Leadership> leaderships) {
        List<Sighting> sightings = new ArrayList<>();
        for (Sender sender : senders) {
            if (last != null && last.host().equals(sender.host())) {
                last = sender;
                continue;
            }
            Leadership claim = latest(sender, leaderships);
            if (claim == null) {
                sightings.add(new Sighting(sender.host(), sender.epochMicros(), "it has never led"));
                continue;
            }
            // Who went on in several views without a word of another in between is judged by the latest of them.
            Leadership before = last == null ? null : latest(last, leaderships);
            Leadership other = before != null && (reigning == null || before.view() > reigning.view()) ? before : reigning;
            if (other != null && claim.view() <= other.view()) {
                sightings.add(new Sighting(sender.host(), sender.epochMicros(), "it led view " + claim.view() + ", and " + last.host()
                        + " of view " + other.view() + " has spoken since"));
                continue;
            }
            reigning = claim;
            last = sender;
        }
        return sightings;
    }

    private static Leadership latest(Sender sender, List<Leadership> leaderships) {
        Leadership latest = null;
        for (Leadership l : leaderships) {
            // A log is written in milliseconds, so a line may seem to be from just after what followed it.
            if (l.host().equals(sender.host()) && l.epochMicros() <= sender.epochMicros() + 1000
                    && (latest == null || l.view() > latest.view())) {
                latest = l;
            }
        }
        return latest;
    }

    /** The group begins with nothing, and with the first view again. */
    void forget() {
        last = null;
        reigning = null;
    }
}
