package org.plover.consensus.paxos.sim;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Links as the transport promises them: messages of a pair arrive in order; they get lost only when the link breaks, and
 * then both sides are told, each in its own time. A cut direction stalls, like TCP does; the link breaks only if the test
 * says so.
 */
final class SimNetwork {
    private static final int MEMBERS = 3;

    private final SimCluster cluster;
    private final Channel[][] channels = new Channel[MEMBERS][MEMBERS];
    private final Link[][] links = new Link[MEMBERS][MEMBERS];

    /** One direction. */
    private static final class Channel {
        final ArrayDeque<byte[]> queue = new ArrayDeque<>();
        final ArrayDeque<Long> arrival = new ArrayDeque<>();
        boolean cut;
        long lastArrival;
    }

    private static final class Link {
        boolean up;
        int epoch;
        final boolean[] believedUp = new boolean[MEMBERS];
    }

    SimNetwork(SimCluster cluster) {
        this.cluster = cluster;
        for (int i = 0; i < MEMBERS; i++) {
            for (int j = 0; j < MEMBERS; j++) {
                channels[i][j] = new Channel();
                if (i < j) {
                    links[i][j] = new Link();
                    links[j][i] = links[i][j];
                }
            }
        }
    }

    void send(int from, int to, ByteBuffer message) {
        Link link = links[from][to];
        if (!link.up) {
            return;
        }
        byte[] bytes = new byte[message.remaining()];
        message.get(bytes);
        Channel c = channels[from][to];
        c.lastArrival = Math.max(c.lastArrival + 1, cluster.now() + 50_000 + cluster.random().nextInt(450_000));
        c.queue.add(bytes);
        c.arrival.add(c.lastArrival);
        int epoch = link.epoch;
        cluster.at(c.lastArrival, () -> arrive(from, to, epoch));
    }

    /** Hands over everything that is due; the receiver may be paused or the direction cut, then it stays queued. */
    private void arrive(int from, int to, int epoch) {
        Channel c = channels[from][to];
        SimNode receiver = cluster.node(to);
        while (links[from][to].up && links[from][to].epoch == epoch && !c.cut && !c.queue.isEmpty() && c.arrival.peek() <= cluster.now()) {
            if (receiver.pausedUntil() > cluster.now()) {
                cluster.at(receiver.pausedUntil(), () -> arrive(from, to, epoch));
                return;
            }
            c.arrival.remove();
            receiver.receive(from, cluster.node(from).incarnation(), ByteBuffer.wrap(c.queue.remove()));
        }
    }

    void cut(int from, int to) {
        channels[from][to].cut = true;
    }

    void isolate(int member) {
        for (int i = 0; i < MEMBERS; i++) {
            if (i != member) {
                cut(i, member);
                cut(member, i);
            }
        }
    }

    void heal() {
        for (int i = 0; i < MEMBERS; i++) {
            for (int j = 0; j < MEMBERS; j++) {
                if (i != j) {
                    heal(i, j);
                }
            }
        }
    }

    void heal(int from, int to) {
        Channel c = channels[from][to];
        c.cut = false;
        int epoch = links[from][to].epoch;
        cluster.at(cluster.now() + 1, () -> arrive(from, to, epoch));
    }

    boolean isUp(int a, int b) {
        return links[a][b].up;
    }

    /** What is under way is lost; the sides learn of it after up to {@code noticeNanos}. */
    void breakLink(int a, int b, long noticeNanos) {
        Link link = links[a][b];
        if (!link.up) {
            return;
        }
        link.up = false;
        link.epoch++;
        for (Channel c : new Channel[] {channels[a][b], channels[b][a]}) {
            c.queue.clear();
            c.arrival.clear();
        }
        notice(link, a, b, noticeNanos);
        notice(link, b, a, noticeNanos);
    }

    private void notice(Link link, int side, int other, long noticeNanos) {
        long delay = noticeNanos == 0 ? 0 : cluster.random().nextLong(noticeNanos);
        int epoch = link.epoch;
        cluster.at(cluster.now() + 1 + delay, () -> {
            if (link.believedUp[side] && link.epoch == epoch && !link.up) {
                link.believedUp[side] = false;
                cluster.node(side).disconnected(other);
            }
        });
    }

    void memberGone(int member) {
        for (int i = 0; i < MEMBERS; i++) {
            if (i != member) {
                links[member][i].believedUp[member] = false;
                breakLink(member, i, 5_000_000);
            }
        }
    }

    /** Brings up what can be; called every few milliseconds. */
    void reconnect() {
        for (int i = 0; i < MEMBERS; i++) {
            for (int j = i + 1; j < MEMBERS; j++) {
                Link link = links[i][j];
                boolean possible = !link.up && !link.believedUp[i] && !link.believedUp[j]
                        && cluster.node(i).isUp() && cluster.node(j).isUp()
                        && cluster.node(i).pausedUntil() <= cluster.now() && cluster.node(j).pausedUntil() <= cluster.now()
                        && !channels[i][j].cut && !channels[j][i].cut;
                if (possible) {
                    link.up = true;
                    link.believedUp[i] = true;
                    link.believedUp[j] = true;
                    cluster.node(i).connected(j, cluster.node(j).incarnation());
                    cluster.node(j).connected(i, cluster.node(i).incarnation());
                }
            }
        }
    }
}
