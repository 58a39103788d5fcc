package org.plover.replication.core;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.plover.api.gate.OutputGate;

/** A gate as the contract has it, for one thread; tells the cluster of every frame that leaves. */
final class FakeGate implements OutputGate {
    private record Held(long epoch, long frame, long nanos) {
    }

    private final SimMember member;
    private final ArrayDeque<Held> held = new ArrayDeque<>();
    private Mode mode = Mode.CLOSED;
    private long epoch;

    FakeGate(SimMember member) {
        this.member = member;
    }

    @Override
    public void offer(int nic, ByteBuffer bytes) {
        long frame = bytes.getLong(bytes.position());
        switch (mode) {
            case CLOSED -> { }
            case OPEN -> member.cluster.onReleased(member, frame, true);
            case STANDBY, HOLDING -> held.add(new Held(epoch, frame, member.cluster.now()));
        }
    }

    @Override
    public void mode(Mode next) {
        mode = next;
        if (next == Mode.CLOSED) {
            held.clear();
        } else if (next == Mode.OPEN) {
            while (!held.isEmpty()) {
                member.cluster.onReleased(member, held.remove().frame(), true);
            }
        }
    }

    @Override
    public Mode mode() {
        return mode;
    }

    @Override
    public void beginEpoch(long next) {
        SimCluster.check(next >= epoch, "epoch " + next + " cannot begin, the gate is in epoch " + epoch);
        epoch = next;
    }

    @Override
    public int release(long upTo) {
        SimCluster.check(mode == Mode.HOLDING && upTo <= epoch, "S3: release of epoch " + upTo + " in epoch " + epoch + ", " + mode);
        int n = 0;
        while (!held.isEmpty() && held.peek().epoch() <= upTo) {
            member.cluster.onReleased(member, held.remove().frame(), false);
            n++;
        }
        return n;
    }

    @Override
    public int discard(long upTo) {
        int before = held.size();
        held.removeIf(h -> h.epoch() <= upTo);
        return before - held.size();
    }

    @Override
    public int heldFrames() {
        return held.size();
    }

    @Override
    public long heldBytes() {
        return 8L * held.size();
    }

    @Override
    public long oldestHeldNanos() {
        return held.isEmpty() ? 0 : held.peek().nanos();
    }

    @Override
    public long droppedFrames() {
        return 0;
    }
}
