package org.plover.replication.core;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.plover.api.memory.PageSet;

/**
 * A guest and its edge on virtual time: one task after the other as on the guest's thread, pages on a bulk lane that may
 * break at any moment, and a guest that computes, writes memory as it likes and emits a frame for every input.
 */
final class FakeGuest implements Guest {
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

    // Arriving.
    private long expected;
    private boolean stagedComplete;
    private boolean stagedDropped;
    private long stagedEpoch = -1;
    private Map<Integer, Long> stagedPages = new HashMap<>();
    private GuestState.Devices stagedDevices;

    // What a test may want to be different.
    int socketFrames = 1000;
    long applyNanos = 500_000;
    long captureNanos = 300_000;
    long finishNanos = 100_000;
    long consumeNanos = 100_000;
    long precopyNanos = 4_000_000;
    /** Boots that fail. */
    int bootsToFail;
    int boots;
    int destroys;

    FakeGuest(SimMember member) {
        this.member = member;
        this.cluster = member.cluster;
        this.random = cluster.random().split();
    }

    // ---- the guest's thread

    private long vary(long nanos) {
        return nanos / 2 + random.nextLong(Math.max(1, nanos));
    }

    private void submit(String what, long nanos, Runnable body) {
        int mine = generation;
        busyUntil = Math.max(cluster.now(), busyUntil) + vary(nanos);
        cluster.at(busyUntil, () -> {
            if (mine != generation || !member.alive) {
                return;
            }
            if (!exists && !what.equals("start") || broken) {
                report(() -> member.core.onGuestFailed(what + ": no machine", member.clock()));
            } else {
                body.run();
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
            start(GuestState.booted());
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
            ByteBuffer offer = ByteBuffer.allocate(already.encodedBytes());
            already.encode(offer);
            report(() -> member.core.onReady(offer.array(), member.clock()));
        });
    }

    private void start(GuestState fresh) {
        exists = true;
        state = fresh;
        dirty = new PageSet(GuestState.PAGES);
        unsent = new PageSet(GuestState.PAGES);
    }

    @Override
    public void destroy() {
        destroys++;
        generation++;
        expected = 0;
        exists = false;
        broken = false;
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
        state.emitted(frame);
        int mine = generation;
        cluster.at(cluster.now() + random.nextLong(100_000), () -> {
            if (mine == generation && member.alive) {
                member.offer(frame);
            }
        });
        if (!socket.isEmpty()) {
            cluster.at(cluster.now() + 1000, () -> {
                if (mine == generation) {
                    consume();
                }
            });
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
        return busy ? 900 : 0;
    }

    @Override
    public void resume() {
        standsStill = false;
        submit("resume", 50_000, this::runOn);
    }

    private void runOn() {
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
        submit("stop", 50_000, () -> {
            work(2);
            running = false;
        });
        submit("capture", captureNanos, () -> {
            SimCluster.check(!running, "the guest ran on while it was being captured");
            capture = what;
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
    public void transfer(long view, long epoch, int to, long[] peerDigests) {
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
            boolean up = bulk(to, g -> g.onState(of, epoch, devices))
                    && bulk(to, g -> g.onPages(of, send))
                    && bulk(to, g -> g.onEnd(of, view, epoch, index));
            if (up) {
                report(() -> member.core.onTransferred(epoch, new GuestEvents.Transferred(all, equal, 0, 0, 4096L * send.size()), member.clock()));
            }
        });
    }

    @Override
    public void acknowledged(long epoch, boolean forJoin) {
    }

    @Override
    public boolean alone(int request) {
        return true;
    }

    @Override
    public long unsealedDiskBytes() {
        return 0;
    }

    @Override
    public void precopy(Precopy what) {
        long newSession = what.session();
        int to = what.member();
        PageSet alreadyDirty = PageSet.decode(ByteBuffer.wrap(what.offer()));
        int mine = ++precopies;
        submit("precopy", precopyNanos / 4, () -> {
            if (mine == precopies) {
                session = newSession;
                fetchDirty();
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
                report(() -> {
                    if (mine == precopies) {
                        member.core.onPrecopied(100, member.clock());
                    }
                });
            }
        });
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
        submit("stop", 50_000, () -> {
            work(2);
            running = false;
        });
        submit("captureBackup", captureNanos, () -> {
            PageSet pages = fetchDirty();
            report(() -> member.core.onBackupCaptured(epoch, member.clock()));
            bulk(to, g -> g.post(() -> g.member.core.onPeerDirty(view, epoch, pages, member.clock())));
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

    private void onState(long of, long epoch, GuestState.Devices devices) {
        if (isExpected(of)) {
            stagedDropped = false;
            stagedComplete = false;
            stagedEpoch = epoch;
            stagedDevices = devices;
            stagedPages = new HashMap<>();
        }
    }

    private void onPages(long of, Map<Integer, Long> pages) {
        if (isExpected(of)) {
            stagedPages.putAll(pages);
        }
    }

    private void onEnd(long of, long view, long epoch, long index) {
        if (isExpected(of) && stagedEpoch == epoch && !stagedDropped) {
            stagedComplete = true;
            post(() -> member.core.onStaged(view, epoch, index, member.clock()));
        }
    }

    @Override
    public void apply(long epoch) {
        SimCluster.check(stagedComplete && stagedEpoch == epoch && !stagedDropped, "S4: epoch " + epoch + " is not completely here");
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
            state.devices = devices;
            SimCluster.check(state.isWhole(), "S4: memory of member " + member.index + " differs from the primary's after epoch " + epoch);
            report(() -> member.core.onApplied(epoch, member.clock()));
        });
    }

    @Override
    public void dropStaged() {
        stagedDropped = true;
    }
}
