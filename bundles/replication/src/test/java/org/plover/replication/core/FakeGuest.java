package org.plover.replication.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.plover.api.disk.Disks;
import org.plover.api.disk.Standing;
import org.plover.api.memory.PageSet;

/**
 * A guest and its edge on virtual time: one task after the other as on the guest's thread, pages on a bulk lane that may
 * break at any moment, and a guest that computes, writes memory as it likes and emits a frame for every input.
 */
final class FakeGuest implements Guest {
    /** On the guest's disk: the register, and the number of the last frame it has decided to emit. */
    private static final int REGISTER_BLOCK = 0;
    static final int EMITTED_BLOCK = 1;
    private static final int OTHER_BLOCKS = 2;

    private final SimMember member;
    private final SimCluster cluster;
    private final SplittableRandom random;
    private final ArrayDeque<ByteBuffer> socket = new ArrayDeque<>();
    private int generation;
    private long busyUntil;
    private long lastReport;

    GuestState state;
    boolean running;
    private boolean exists;
    private boolean broken;
    /** From the order to stop to the order to run on, as the loop sees it. */
    private boolean standsStill;
    private boolean worked;
    private PageSet dirty = new PageSet(GuestState.PAGES);
    private PageSet unsent = new PageSet(GuestState.PAGES);
    private long session;
    private int precopies;

    private Capture capture;
    private GuestState.Devices capturedDevices;
    private final Map<Integer, Long> captured = new HashMap<>();
    private PageSet capturedDirty;
    private PageSet peerDirty;
    /** What the last transfer took, or null if the link broke. */
    private GuestEvents.Transferred sent;

    // Arriving.
    private long expected;
    private boolean stagedComplete;
    private boolean stagedDropped;
    private long stagedEpoch = -1;
    private Map<Integer, Long> stagedPages = new HashMap<>();
    private GuestState.Devices stagedDevices;

    // Its disk.
    private SimDisk disk;
    private final ArrayDeque<Flush> flushes = new ArrayDeque<>();
    private long[] capturedBlocks = {};
    /** What the backup's guest has written to its disk in an epoch. */
    private Map<Long, Long> peerBlocks = Map.of();
    private long peerBlocksEpoch;
    /** As the product's receiver: whether an epoch may arrive, which (0: that of a join) and in which view. */
    private boolean accepting;
    private long acceptEpoch;
    private long acceptView;

    /** A frame that waits until what it tells of is on stable storage. */
    private record Flush(Map<Integer, SimDisk.Write> content, long frame) {
    }

    // What a test may want to be different.
    int socketFrames = 1000;
    long applyNanos;
    long commitNanos;
    long captureNanos = 300_000;
    long finishNanos = 100_000;
    long consumeNanos = 100_000;
    long precopyNanos = 4_000_000;
    long flushNanos = 200_000;
    /** How long it takes to make the disk durable when the guest is to go on alone. */
    long settleNanos = 200_000;
    /** Boots that fail. */
    int bootsToFail;
    int boots;
    int destroys;

    FakeGuest(SimMember member) {
        this.member = member;
        this.cluster = member.cluster;
        this.random = cluster.random().split();
        this.applyNanos = cluster.applyNanos;
        this.commitNanos = cluster.commitNanos;
    }

    // ---- the guest's thread

    private long vary(long nanos) {
        return nanos / 2 + random.nextLong(Math.max(1, nanos));
    }

    private interface Task {
        void run() throws IOException;
    }

    private void submit(String what, long nanos, Task body) {
        int mine = generation;
        busyUntil = Math.max(cluster.now(), busyUntil) + vary(nanos);
        cluster.at(busyUntil, () -> {
            if (mine != generation || !member.alive) {
                return;
            }
            if ((!exists && !what.equals("start") || broken) && !what.equals("alone")) {
                report(() -> member.core.onGuestFailed(what + ": no machine", member.clock()));
                return;
            }
            try {
                body.run();
            } catch (IOException e) {
                report(() -> member.core.onGuestFailed(what + ": " + e.getMessage(), member.clock()));
            }
        });
    }

    private void report(Runnable event) {
        int mine = generation;
        post(() -> {
            if (mine == generation) {
                event.run();
            }
        });
    }

    private void post(Runnable event) {
        lastReport = Math.max(lastReport, cluster.now() + random.nextLong(30_000));
        cluster.at(lastReport, () -> member.step(event));
    }

    @Override
    public void boot() {
        boots++;
        cluster.onBoot(member);
        submit("start", 5_000_000, () -> {
            if (bootsToFail > 0) {
                bootsToFail--;
                broken = true;
                report(() -> member.core.onGuestFailed("does not boot", member.clock()));
                return;
            }
            start(new GuestState());
            if (disk == null) {
                state = GuestState.booted();
            } else {
                SimCluster.check(disk.standing() == Standing.WHOLE, "S6: member " + member.index + " boots from half a copy");
                state = GuestState.booted(cluster.chainOf(disk.get(EMITTED_BLOCK)), disk.get(REGISTER_BLOCK), disk.sum());
            }
            running = true;
            work(3);
            report(() -> member.core.onReady(new byte[0], member.clock()));
        });
    }

    @Override
    public void prepare() {
        submit("start", 5_000_000, () -> {
            start(new GuestState());
            PageSet already = new PageSet(GuestState.PAGES);
            for (int i = 0; i < 3; i++) {
                int page = random.nextInt(GuestState.PAGES);
                state.pages[page] = random.nextLong();
                already.add(page);
            }
            PageSet changed = disk == null ? new PageSet(1) : disk.changed(0);
            ByteBuffer offer = ByteBuffer.allocate(already.encodedBytes() + Long.BYTES + changed.encodedBytes());
            already.encode(offer);
            offer.putLong(disk == null ? 0 : disk.bond());
            changed.encode(offer);
            report(() -> member.core.onReady(offer.array(), member.clock()));
        });
    }

    private void start(GuestState fresh) {
        exists = true;
        state = fresh;
        dirty = new PageSet(GuestState.PAGES);
        unsent = new PageSet(GuestState.PAGES);
        if (cluster.hasDisk) {
            disk = new SimDisk(member.disk.guests, random);
        }
    }

    /** What is not durable is lost. */
    void closeDisk() {
        flushes.clear();
        if (disk != null) {
            disk.close();
            disk = null;
        }
    }

    @Override
    public void destroy() {
        destroys++;
        generation++;
        expect(0);
        exists = false;
        broken = false;
        closeDisk();
        running = false;
        standsStill = false;
        state = null;
        socket.clear();
        precopies++;
        stagedComplete = false;
        stagedEpoch = -1;
        busyUntil = Math.max(busyUntil, cluster.now()) + 1_000_000;
    }

    /** The machine's process ends by itself. */
    void fail() {
        if (exists && !broken) {
            broken = true;
            running = false;
            report(() -> member.core.onGuestFailed("killed", member.clock()));
        }
    }

    boolean isUsable() {
        return exists && !broken && state != null && state.devices != null;
    }

    // ---- computing

    private void work(int writes) {
        for (int i = 0; i < writes; i++) {
            int page = random.nextInt(GuestState.PAGES);
            state.write(page, random.nextInt(8) == 0 ? 0 : random.nextLong());
            dirty.add(page);
        }
    }

    @Override
    public boolean inject(int nic, ByteBuffer frame) {
        SimCluster.check(!standsStill, "an input was handed to a guest between stop and resume");
        if (!exists || broken || socket.size() >= socketFrames) {
            return false;
        }
        socket.add(ByteBuffer.allocate(frame.remaining()).put(frame).flip());
        int mine = generation;
        cluster.at(cluster.now() + vary(consumeNanos), () -> {
            if (mine == generation) {
                consume();
            }
        });
        return true;
    }

    private void consume() {
        if (!running || socket.isEmpty()) {
            return;
        }
        long input = socket.remove().getLong(0);
        worked = true;
        long value = state.tookInput(cluster.onTaken(member, input, state.devices.lastInput()), input);
        work(1 + random.nextInt(3));
        long frame = cluster.newFrame(input, value);
        cluster.onDecided(state.emitted(frame));
        int mine = generation;
        if (disk == null) {
            emit(frame);
        } else {
            writeDisk(input, frame);
        }
        if (!socket.isEmpty()) {
            cluster.at(cluster.now() + 1000, () -> {
                if (mine == generation) {
                    consume();
                }
            });
        }
    }

    private void emit(long frame) {
        int mine = generation;
        cluster.at(cluster.now() + random.nextLong(100_000), () -> {
            if (mine == generation && member.alive) {
                member.offer(frame);
            }
        });
    }

    /** Keeps the register and what is about to be emitted; the frame leaves the guest when the disk says that this is safe. */
    private void writeDisk(long input, long frame) {
        for (int i = random.nextInt(3); i > 0; i--) {
            state.write(disk, OTHER_BLOCKS + random.nextInt(SimDisk.BLOCKS - OTHER_BLOCKS), random.nextInt(8) == 0 ? 0 : random.nextLong());
        }
        if ((input & 1) == 1) {
            state.write(disk, REGISTER_BLOCK, input);
        }
        state.write(disk, EMITTED_BLOCK, frame);
        Map<Integer, SimDisk.Write> content = disk.beginFlush();
        if (content == null) {
            emit(frame);
            return;
        }
        Flush flush = new Flush(content, frame);
        flushes.add(flush);
        int mine = generation;
        cluster.at(cluster.now() + vary(flushNanos), () -> {
            while (mine == generation && member.alive && flushes.contains(flush)) {
                answerFlush();
            }
        });
    }

    private void answerFlush() {
        Flush first = flushes.remove();
        disk.endFlush(first.content());
        emit(first.frame());
    }

    /** A machine that is stopped waits for its disk's answers. */
    private void stop() {
        work(2);
        running = false;
        while (!flushes.isEmpty()) {
            answerFlush();
        }
    }

    @Override
    public long pendingInputBytes() {
        return socket.stream().mapToLong(ByteBuffer::remaining).sum();
    }

    @Override
    public int sampleActivity() {
        boolean busy = worked;
        worked = false;
        return busy || !flushes.isEmpty() ? 900 : 0;
    }

    @Override
    public long[] diskBytes() {
        return disk == null ? new long[0] : new long[] {member.disk.bytes};
    }

    private String refusal(long bytes) {
        return bytes > member.disk.roomBytes ? "no room" : "";
    }

    @Override
    public void makeRoom(int number, long bytes) {
        submit("makeRoom", 500_000, () -> report(() -> member.core.onRoomMade(number, bytes, refusal(bytes), member.clock())));
    }

    @Override
    public void resizeDisk(int number, long bytes) {
        submit("resize", 500_000, () -> {
            if (refusal(bytes).isEmpty()) {
                SimCluster.check(bytes >= member.disk.bytes, "the disk of member " + member.index + " shrinks under a guest");
                SimCluster.check(member.core.state() != ReplicaState.PROTECTED || cluster.member(1 - member.index).disk.bytes >= bytes,
                        "S6: the guest may write what member " + (1 - member.index) + ", in sync, has no room for");
                member.disk.bytes = bytes;
            }
            report(() -> member.core.onDiskResized(number, bytes, refusal(bytes), member.clock()));
        });
    }

    @Override
    public void adoptDiskBytes(long[] bytes) {
        submit("adopt", 500_000, () -> {
            SimCluster.check(!running, "the disk under a running guest was given another length");
            if (refusal(bytes[0]).isEmpty()) {
                member.disk.bytes = bytes[0];
            }
            report(() -> member.core.onLengthsAdopted(refusal(bytes[0]), member.clock()));
        });
    }

    @Override
    public long unsealedDiskBytes() {
        return disk == null ? 0 : disk.unsealedBytes();
    }

    @Override
    public void resume() {
        standsStill = false;
        submit("resume", 50_000, this::runOn);
    }

    private void checkDisk(String when) {
        SimCluster.check(disk == null || disk.sum() == state.devices.diskSum(), "S6: the disk of member " + member.index
                + " is not its guest's " + when);
    }

    private void runOn() {
        checkDisk("when it is resumed");
        SimCluster.check(state.isWhole(), "S4: member " + member.index + " resumed a guest whose memory and devices do not belong together");
        running = true;
        int mine = generation;
        cluster.at(cluster.now() + 1000, () -> {
            if (mine == generation) {
                consume();
            }
        });
    }

    private PageSet fetchDirty() {
        PageSet fetched = dirty;
        dirty = new PageSet(GuestState.PAGES);
        return fetched;
    }

    // ---- primary

    @Override
    public void capture(Capture what) {
        standsStill = true;
        submit("stop", 50_000, this::stop);
        submit("capture", captureNanos, () -> {
            SimCluster.check(!running, "the guest ran on while it was being captured");
            capture = what;
            checkDisk("when it is captured");
            if (disk != null) {
                capturedBlocks = disk.fetchWritten();
                disk.seal(what.epoch());
            }
            capturedDevices = state.devices;
            capturedDirty = fetchDirty();
            if (what.everything()) {
                capturedDirty.addAll(unsent);
            }
            captured.clear();
            for (int p : capturedDirty.toArray()) {
                captured.put(p, state.pages[p]);
            }
            report(() -> member.core.onCaptured(what.epoch(), member.clock()));
        });
    }

    @Override
    public void finishCapture(long epoch, PageSet peers) {
        submit("finish", finishNanos, () -> {
            SimCluster.check(!running, "the guest ran on before epoch " + epoch + " was copied");
            peerDirty = peers == null ? new PageSet(GuestState.PAGES) : peers;
            for (int p : peerDirty.toArray()) {
                captured.putIfAbsent(p, state.pages[p]);
            }
            if (!capture.staysStopped()) {
                runOn();
            }
            boolean stays = capture.staysStopped();
            report(() -> {
                if (!stays) {
                    standsStill = false;
                }
                member.core.onResumed(epoch, 400_000, member.clock());
            });
        });
    }

    @Override
    public void transfer(long view, long epoch, int to, long[] peerDigests, long compareFrom) {
        submit("commit", 10_000, () -> {
            if (disk != null) {
                disk.beginCommit(epoch);
            }
        });
        submit("transfer", 400_000, () -> {
            Map<Integer, Long> send = new HashMap<>(captured);
            int[] theirs = peerDirty.toArray();
            int same = 0;
            if (peerDigests != null && peerDigests.length == 2 * theirs.length) {
                for (int i = 0; i < theirs.length; i++) {
                    if (captured.get(theirs[i]) == peerDigests[2 * i]) {
                        send.remove(theirs[i]);
                        same++;
                    }
                }
            }
            long of = session;
            long index = capture.index();
            GuestState.Devices devices = capturedDevices;
            int all = captured.size();
            int equal = same;
            Map<Long, Long> blocks = blocksToSend(epoch);
            boolean up = bulk(to, g -> g.onState(of, view, epoch, devices))
                    && bulk(to, g -> g.onBlocks(of, epoch, blocks))
                    && bulk(to, g -> g.onPages(of, epoch, send))
                    && bulk(to, g -> g.onEnd(of, view, epoch, index));
            sent = up ? new GuestEvents.Transferred(all, equal, blocks.size(), 0, 4096L * send.size(), -1) : null;
        });
        submit("durable", commitNanos, () -> {
            if (disk != null) {
                disk.endCommit();
            }
            GuestEvents.Transferred what = sent;
            if (what != null) {
                report(() -> member.core.onTransferred(epoch, what, member.clock()));
            }
        });
    }

    /** The sealed epoch's blocks; null stands for what the backup's guest has written alike. */
    private Map<Long, Long> blocksToSend(long epoch) {
        Map<Long, Long> blocks = new HashMap<>();
        for (long id : capturedBlocks) {
            Long content = disk.sealedContent(id);
            boolean same = peerBlocksEpoch == epoch && content.equals(peerBlocks.get(id));
            blocks.put(id, same ? null : content);
        }
        return blocks;
    }

    @Override
    public void acknowledged(long epoch, boolean forJoin) {
        submit("settle", 20_000, () -> {
            if (disk != null && forJoin) {
                disk.bond(session);
            } else if (disk != null) {
                disk.settle(epoch);
            }
        });
    }

    @Override
    public boolean alone(int request) {
        if (!cluster.hasDisk) {
            return true;
        }
        submit("alone", settleNanos, () -> {
            refuse();
            if (disk != null) {
                disk.alone();
            }
            report(() -> member.core.onSettled(request));
        });
        return false;
    }

    @Override
    public boolean hasDisks() {
        return cluster.hasDisk;
    }

    /** Nothing that arrives from now on becomes part of the disk. */
    private void refuse() {
        accepting = false;
        if (disk != null) {
            disk.unstage();
        }
    }

    @Override
    public void precopy(Precopy what) {
        long newSession = what.session();
        int to = what.member();
        ByteBuffer offer = ByteBuffer.wrap(what.offer());
        PageSet alreadyDirty = PageSet.decode(offer);
        long theirBond = offer.getLong();
        PageSet theirChanged = PageSet.decode(offer);
        int mine = ++precopies;
        submit("precopy", precopyNanos / 4, () -> {
            if (mine == precopies) {
                session = newSession;
                fetchDirty();
                copyDisk(to, theirBond, theirChanged);
                sendPages(to, 0, GuestState.PAGES / 2, alreadyDirty);
            }
        });
        submit("precopy", precopyNanos / 2, () -> {
            if (mine == precopies) {
                sendPages(to, GuestState.PAGES / 2, GuestState.PAGES, alreadyDirty);
                report(() -> {
                    if (mine == precopies) {
                        member.core.onPrecopied(50, member.clock());
                    }
                });
            }
        });
        submit("precopy", precopyNanos / 4, () -> {
            if (mine == precopies) {
                unsent = fetchDirty();
                if (disk != null) {
                    sendFill(to, disk.fetchWritten());
                }
                report(() -> {
                    if (mine == precopies) {
                        member.core.onPrecopied(100, member.clock());
                    }
                });
            }
        });
    }

    /** Sends the chunks in which the fresh backup's disk may differ. */
    private void copyDisk(int to, long theirBond, PageSet theirChanged) {
        if (disk == null) {
            return;
        }
        disk.fetchWritten();
        PageSet candidates = disk.changed(0);
        if (disk.bond() != 0 && disk.bond() == theirBond) {
            candidates.addAll(theirChanged);
        } else {
            candidates.fill();
        }
        sendFill(to, Arrays.stream(SimDisk.blocksOf(candidates)).mapToLong(b -> Disks.id(0, b)).toArray());
    }

    private void sendFill(int to, long[] ids) {
        long of = session;
        Map<Long, Long> blocks = new HashMap<>();
        for (long id : ids) {
            blocks.put(id, disk.get((int) Disks.blockOf(id)));
        }
        bulk(to, g -> g.onFill(of, blocks));
    }

    private void sendPages(int to, int from, int until, PageSet alreadyDirty) {
        long of = session;
        Map<Integer, Long> pages = new HashMap<>();
        for (int p = from; p < until; p++) {
            if (state.pages[p] != 0 || alreadyDirty.contains(p)) {
                pages.put(p, state.pages[p]);
            }
        }
        bulk(to, g -> g.onPrecopy(of, pages));
    }

    @Override
    public void cancelPrecopy() {
        precopies++;
    }

    // ---- backup

    @Override
    public void captureBackup(long view, long epoch, int to, String hasher) {
        standsStill = true;
        submit("stop", 50_000, this::stop);
        submit("captureBackup", captureNanos, () -> {
            PageSet pages = fetchDirty();
            accepting = true;
            acceptView = view;
            acceptEpoch = epoch;
            report(() -> member.core.onBackupCaptured(epoch, member.clock()));
            bulk(to, g -> g.post(() -> g.member.core.onPeerDirty(view, epoch, pages, member.clock())));
            Map<Long, Long> blocks = new HashMap<>();
            for (long id : disk == null ? new long[0] : disk.fetchWritten()) {
                blocks.put(id, disk.get((int) Disks.blockOf(id)));
            }
            bulk(to, g -> {
                g.peerBlocks = blocks;
                g.peerBlocksEpoch = epoch;
            });
            int[] list = pages.toArray();
            long[] digests = new long[2 * list.length];
            for (int i = 0; i < list.length; i++) {
                digests[2 * i] = state.pages[list[i]];
            }
            long[] sent = random.nextInt(20) == 0 ? new long[0] : digests;
            bulk(to, g -> g.post(() -> g.member.core.onPeerDigests(view, epoch, sent, member.clock())));
        });
    }

    @Override
    public void expect(long newSession) {
        expected = newSession;
        stagedDropped = true;
        accepting = newSession != 0;
        acceptEpoch = 0;
    }

    private interface Arrival {
        void at(FakeGuest guest);
    }

    private boolean bulk(int to, Arrival arrival) {
        return cluster.sendBulk(member, to, receiver -> arrival.at(receiver.guest));
    }

    private boolean isExpected(long of) {
        return exists && expected != 0 && of == expected;
    }

    private void onPrecopy(long of, Map<Integer, Long> pages) {
        if (isExpected(of)) {
            SimCluster.check(!running, "pages of a running copy were put into a running guest");
            pages.forEach((p, v) -> state.pages[p] = v);
        }
    }

    private void onFill(long of, Map<Long, Long> blocks) {
        if (isExpected(of)) {
            SimCluster.check(!running, "blocks of a running copy were put under a running guest");
            blocks.forEach(disk::fill);
        }
    }

    private void onState(long of, long view, long epoch, GuestState.Devices devices) {
        if (isExpected(of) && accepting && (acceptEpoch == 0 || acceptEpoch == epoch && acceptView == view)) {
            if (disk != null) {
                disk.stageBegin(epoch);
            }
            stagedDropped = false;
            stagedComplete = false;
            stagedEpoch = epoch;
            stagedDevices = devices;
            stagedPages = new HashMap<>();
        }
    }

    private boolean isArriving(long of, long epoch) {
        return isExpected(of) && accepting && !stagedDropped && stagedEpoch == epoch;
    }

    private void onBlocks(long of, long epoch, Map<Long, Long> blocks) {
        if (isArriving(of, epoch)) {
            blocks.forEach((id, content) -> {
                if (content == null) {
                    disk.stageSame(id);
                } else {
                    disk.stage(id, content);
                }
            });
        }
    }

    private void onPages(long of, long epoch, Map<Integer, Long> pages) {
        if (isArriving(of, epoch)) {
            stagedPages.putAll(pages);
        }
    }

    private void onEnd(long of, long view, long epoch, long index) {
        if (isArriving(of, epoch)) {
            try {
                if (disk != null) {
                    disk.stageEnd(epoch);
                    if (acceptEpoch == 0) {
                        disk.bond(of);
                    }
                }
            } catch (IOException e) {
                stagedDropped = true;
                accepting = false;
                post(() -> member.core.onDiskFailed(e.getMessage(), member.clock()));
                return;
            }
            stagedComplete = true;
            post(() -> member.core.onStaged(view, epoch, index, member.clock()));
        }
    }

    @Override
    public void apply(long epoch) {
        SimCluster.check(stagedComplete && stagedEpoch == epoch && !stagedDropped, "S4: epoch " + epoch + " is not completely here");
        SimCluster.check(disk == null || disk.isStaged(epoch), "S6: epoch " + epoch + " is acknowledged and not durable");
        cluster.onStaged(member, stagedDevices);
        Map<Integer, Long> pages = stagedPages;
        GuestState.Devices devices = stagedDevices;
        boolean[] half = new boolean[1];
        submit("apply", applyNanos / 2, () -> {
            SimCluster.check(!running, "S4: epoch " + epoch + " was put into a running guest");
            half[0] = true;
            pages.forEach((p, v) -> state.pages[p] = v);
        });
        submit("apply", applyNanos / 2, () -> {
            SimCluster.check(half[0], "S4: half an epoch");
            if (disk != null) {
                disk.apply(epoch);
            }
            state.devices = devices;
            checkDisk("after epoch " + epoch);
            SimCluster.check(state.isWhole(), "S4: memory of member " + member.index + " differs from the primary's after epoch " + epoch);
            report(() -> member.core.onApplied(epoch, member.clock()));
        });
    }

    @Override
    public void dropStaged() {
        stagedDropped = true;
        submit("refuse", 10_000, this::refuse);
    }
}
