package org.plover.replication.core;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Disks whose length changes. On an operator's order, in this order: there is room here; the backup's disk has the new length; this
 * one's has it, and only now the guest can know. So whatever block it writes exists at a backup that is in sync. A backup whose disk is
 * longer, because the order ended half-way, does no harm: nothing is written there before the primary's is as long.
 *
 * <p>A learner gives its disks the lengths of the primary's, if it has room: they are about to be copied over.
 */
final class DiskGrowth {
    private static final long ADOPT_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(10);

    private enum Stage { NONE, ROOM, PEER, HERE }

    private final ReplicaCore core;
    private Stage stage = Stage.NONE;
    private CompletableFuture<String> request;
    private int disk;
    private long bytes;
    private long adoptNotBefore;
    private boolean adopting;

    DiskGrowth(ReplicaCore core) {
        this.core = core;
    }

    // ---- primary ----

    void begin(int ofDisk, long newBytes, CompletableFuture<String> asked) {
        long[] now = core.guest.diskBytes();
        String refusal = stage != Stage.NONE ? "the length of a disk is already being changed; wait until that is done"
                : ofDisk >= now.length ? "there is no disk " + ofDisk + " here at the moment"
                : newBytes < now[ofDisk] ? "disk " + ofDisk + " has " + now[ofDisk] + " bytes; a disk cannot be made shorter" : null;
        if (refusal != null) {
            asked.completeExceptionally(new IllegalStateException(refusal));
            return;
        }
        request = asked;
        disk = ofDisk;
        bytes = newBytes;
        stage = Stage.ROOM;
        core.guest.makeRoom(disk, bytes);
    }

    void onRoomMade(String refusal) {
        if (stage != Stage.ROOM) {
            return;
        }
        if (!refusal.isEmpty()) {
            end("disk " + disk + " was not made longer: " + refusal);
            return;
        }
        stage = Stage.PEER;
        core.fx.send(core.peer, Wire.message(Wire.GROW, core.consensus.view(), 4 + 8).putInt(disk).putLong(bytes).flip());
    }

    void onGrown(int ofDisk, long newBytes, String refusal) {
        if (stage != Stage.PEER || ofDisk != disk || newBytes != bytes) {
            return;
        }
        if (!refusal.isEmpty()) {
            end("disk " + disk + " was not made longer: on " + core.peerName() + ": " + refusal);
            return;
        }
        stage = Stage.HERE;
        core.guest.resizeDisk(disk, bytes);
    }

    void onResizedHere(String refusal) {
        if (stage != Stage.HERE) {
            return;
        }
        if (!refusal.isEmpty()) {
            end("disk " + disk + " is not known to be longer: " + refusal + "; give the order again");
            return;
        }
        String said = "disk " + disk + " has " + bytes + " bytes on both replicas, and the guest has been told";
        core.fx.log(said);
        request.complete(said);
        stage = Stage.NONE;
    }

    /** Protection is lost, or this replica does not lead any more. */
    void fail(String why) {
        if (stage != Stage.NONE) {
            end("disk " + disk + " is not known to be longer: " + why + "; look at its length in the guest, and give the order again when it is"
                    + " protected");
        }
    }

    private void end(String why) {
        stage = Stage.NONE;
        core.fx.warn(why);
        request.completeExceptionally(new IllegalStateException(why));
    }

    // ---- backup ----

    void onOrdered(int ofDisk, long newBytes) {
        long[] now = core.guest.diskBytes();
        if (ofDisk >= now.length || newBytes < now[ofDisk]) {
            answer(ofDisk, newBytes, ofDisk >= now.length ? "there is no disk " + ofDisk : "the disk has " + now[ofDisk] + " bytes already");
        } else {
            core.guest.resizeDisk(ofDisk, newBytes);
        }
    }

    void answer(int ofDisk, long newBytes, String refusal) {
        ByteBuffer m = Wire.message(Wire.GROWN, core.consensus.view(), 4 + 8 + 2 + refusal.getBytes(StandardCharsets.UTF_8).length)
                .putInt(ofDisk).putLong(newBytes);
        Wire.putString(m, refusal);
        core.fx.send(core.peer, m.flip());
    }

    // ---- learner ----

    /** Tells a learner that differs what the lengths are here. */
    void tellLengths() {
        long[] now = core.guest.diskBytes();
        ByteBuffer m = Wire.message(Wire.LENGTHS, core.consensus.view(), 4 + 8 * now.length).putInt(now.length);
        Arrays.stream(now).forEach(m::putLong);
        core.fx.send(core.peer, m.flip());
    }

    void onLengths(long[] primarys, long nowNanos) {
        long[] mine = core.guest.diskBytes();
        if (adopting || mine.length != primarys.length || Arrays.equals(mine, primarys)
                || adoptNotBefore != 0 && nowNanos - adoptNotBefore < 0) {
            return;
        }
        core.fx.log("the disks here have " + Arrays.toString(mine) + " bytes, the primary's " + Arrays.toString(primarys)
                + "; they are given the same lengths");
        adopting = true;
        core.guest.adoptDiskBytes(primarys);
    }

    /** @return whether a new machine is needed, which sees the new lengths */
    boolean onAdopted(String refusal, long nowNanos) {
        adopting = false;
        adoptNotBefore = refusal.isEmpty() ? 0 : nowNanos + ADOPT_AGAIN_NANOS;
        if (!refusal.isEmpty()) {
            core.fx.warn("the disks here cannot have the lengths of the primary's: " + refusal);
        }
        return refusal.isEmpty();
    }

    /** The machine is gone, and whatever it was asked. */
    void machineGone() {
        adopting = false;
    }
}
