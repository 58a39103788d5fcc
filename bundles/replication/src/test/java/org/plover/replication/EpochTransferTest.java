package org.plover.replication;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.replication.core.GuestEvents;

/** An epoch on its way from {@link PageSender} over a transport in memory to {@link BulkReceiver} and {@link Staging}. */
public class EpochTransferTest {
    private static final int PAGES = 300;
    private static final int PAGE = GuestMemory.PAGE_BYTES;
    private static final long SESSION = 77;

    private long from;
    private long to;
    private PageSender sender;
    private BulkReceiver receiver;
    private final Hashers hashers = new Hashers();
    private final List<byte[]> wire = new ArrayList<>();
    private final List<String> events = new ArrayList<>();
    private long[] digestsSeen;
    private PageSet dirtySeen;
    private int refusals;
    private boolean connected = true;
    private boolean cancelled;

    private record Ram(long address, int pageCount) implements GuestMemory {
    }

    private final Transport transport = new Transport() {
            @Override
            public void readdress(org.plover.api.group.Group next) {
                throw new AssertionError("nobody moves in this test");
            }

        @Override
        public boolean send(int member, Lane lane, ByteBuffer... parts) {
            if (refusals > 0 || !connected) {
                refusals--;
                parts[0].position(parts[0].limit()); // positions are unspecified then
                return false;
            }
            byte[] m = new byte[parts[0].remaining()];
            parts[0].get(m);
            wire.add(m);
            return true;
        }

        @Override
        public boolean isConnected(int member) {
            return connected;
        }

        @Override
        public long queuedBytes(int member, Lane lane) {
            return 0;
        }

        @Override
        public long roundTripMicros(int member) {
            return -1;
        }

        @Override
        public List<String> notes() {
            return List.of();
        }

        @Override
        public void close() {
        }
    };

    @Before
    public void setUp() throws Exception {
        from = Linux.mapAnonymous((long) PAGES * PAGE);
        to = Linux.mapAnonymous((long) PAGES * PAGE);
        sender = new PageSender(() -> transport, () -> cancelled);
        GuestEvents recorder = (GuestEvents) Proxy.newProxyInstance(GuestEvents.class.getClassLoader(), new Class<?>[] {GuestEvents.class},
                (proxy, method, a) -> {
                    switch (method.getName()) {
                        case "onPeerDigests" -> digestsSeen = (long[]) a[2];
                        case "onPeerDirty" -> dirtySeen = (PageSet) a[2];
                        default -> { }
                    }
                    events.add(method.getName() + Arrays.asList(a).subList(0, Math.min(a.length - 1, method.getName().equals("onStaged") ? 3 : 1)));
                    return null;
                });
        receiver = new BulkReceiver(hashers, new NoNetwork(recorder, 0), null);
        receiver.machineReady(new Ram(to, PAGES), new GuestDisks(null, hashers));
        receiver.expect(SESSION);
    }

    @After
    public void tearDown() throws Exception {
        receiver.machineGone();
        hashers.close();
        sender.close();
        Linux.munmap(from, (long) PAGES * PAGE);
        Linux.munmap(to, (long) PAGES * PAGE);
    }

    private static byte[] content(int page) {
        byte[] c = new byte[PAGE];
        new Random(page).nextBytes(c);
        return c;
    }

    private void fill(long memory, int page, byte[] c) {
        Memory.put(ByteBuffer.wrap(c), memory + (long) page * PAGE, PAGE);
    }

    private byte[] read(long memory, int page) {
        ByteBuffer b = ByteBuffer.allocate(PAGE);
        Memory.get(memory + (long) page * PAGE, b, PAGE);
        return b.array();
    }

    /** Sends pages of {@link #from} as an epoch; what goes over the wire is in {@link #wire}. */
    private void sendEpoch(long session, long view, long epoch, int... pages) throws Exception {
        sender.to(1, session, view, epoch);
        ByteBuffer state = sender.begin(BulkWire.STATE, 8 + 2 + 3 + 4 + 5);
        sender.message(state.putLong(55).putShort((short) 3).put(new byte[] {'x', 'x', 'h'}).putInt(5).put(new byte[] {1, 2, 3, 4, 5}).flip());
        sender.beginPages(BulkWire.PAGES);
        for (int page : pages) {
            sender.page(page, from + (long) page * PAGE);
        }
        sender.endPages();
        sender.end();
    }

    private void deliver() {
        wire.forEach(m -> receiver.onMessage(ByteBuffer.wrap(m)));
        wire.clear();
    }

    private int[] manyPages() {
        int[] pages = java.util.stream.IntStream.range(0, PAGES).filter(p -> p % 2 == 0).toArray();
        for (int p : pages) {
            if (p % 10 != 0) {
                fill(from, p, content(p)); // every fifth one stays zero
            }
            fill(to, p, content(p + 1000));
            fill(to, p + 1, content(p + 1001));
        }
        return pages;
    }

    @Test
    public void shouldBringAnEpochWholeAndApplyIt() throws Exception {
        int[] pages = manyPages();
        sendEpoch(SESSION, 3, 9, pages);
        assertTrue("more than one message of pages", wire.size() >= 4);
        deliver();
        assertEquals(List.of("onStaged[3, 9, 55]"), events);
        assertArrayEquals("nothing is put in place before", content(1002), read(to, 2));
        Staging staged = receiver.staged(9);
        assertEquals(pages.length, staged.size());
        assertArrayEquals(new byte[] {1, 2, 3, 4, 5}, staged.deviceState());
        assertEquals("xxh", staged.hasher());
        staged.applyTo(to);
        for (int p : pages) {
            assertArrayEquals("page " + p, p % 10 == 0 ? new byte[PAGE] : content(p), read(to, p));
            assertArrayEquals("page " + (p + 1) + " is not of the epoch", content(p + 1001), read(to, p + 1));
        }
    }

    @Test
    public void shouldSendNoContentOfZeroPages() throws Exception {
        sendEpoch(SESSION, 3, 9, 0, 1, 2);
        assertTrue(sender.bytes() < 300);
        deliver();
        fill(to, 1, content(1));
        receiver.staged(9).applyTo(to);
        assertArrayEquals(new byte[PAGE], read(to, 1));
    }

    @Test
    public void shouldBringAnEpochWithoutAnyPage() throws Exception {
        sendEpoch(SESSION, 3, 9);
        deliver();
        assertEquals(List.of("onStaged[3, 9, 55]"), events);
        assertEquals(0, receiver.staged(9).size());
    }

    @Test
    public void shouldRefuseAnEpochOfWhichAMessageIsMissing() throws Exception {
        int[] pages = manyPages();
        int messages = 0;
        for (int missing = 1; missing == 1 || missing < messages - 1; missing++) {
            sendEpoch(SESSION, 3, 9, pages);
            messages = wire.size();
            wire.remove(missing);
            events.clear();
            deliver();
            assertEquals(List.of("onGuestFailed[epoch 9 arrived damaged]"), events);
            assertThrows(IllegalStateException.class, () -> receiver.staged(9));
        }
    }

    @Test
    public void shouldRefuseAnEpochThatHasNoEnd() throws Exception {
        sendEpoch(SESSION, 3, 9, manyPages());
        wire.remove(wire.size() - 1);
        deliver();
        assertEquals(List.of(), events);
        assertThrows(IllegalStateException.class, () -> receiver.staged(9));
    }

    @Test
    public void shouldRefuseAnEpochInWhichAByteHasChanged() throws Exception {
        fill(from, 4, content(4));
        for (int at : new int[] {BulkWire.HEADER_BYTES + 4, BulkWire.HEADER_BYTES + 2000, BulkWire.HEADER_BYTES + 4 + PAGE - 1}) {
            sendEpoch(SESSION, 3, 9, 4);
            wire.get(1)[at] ^= 1;
            events.clear();
            deliver();
            assertEquals(List.of("onGuestFailed[epoch 9 arrived damaged]"), events);
        }
        sendEpoch(SESSION, 3, 9, 4);
        byte[] state = wire.get(0);
        state[state.length - 1] ^= 1;
        events.clear();
        deliver();
        assertEquals("device state counts too", List.of("onGuestFailed[epoch 9 arrived damaged]"), events);
    }

    @Test
    public void shouldIgnoreWhatIsOfAnotherSession() throws Exception {
        sendEpoch(SESSION + 1, 3, 9, manyPages());
        deliver();
        assertEquals(List.of(), events);
        receiver.expect(0);
        sendEpoch(0, 3, 9, 1);
        deliver();
        assertEquals("no session is expected", List.of(), events);
    }

    @Test
    public void shouldTellTheViewSoThatTheCoreCanRefuseAnother() throws Exception {
        sendEpoch(SESSION, 2, 9, 1);
        deliver();
        assertEquals(List.of("onStaged[2, 9, 55]"), events);
    }

    @Test
    public void shouldRefuseToApplyAnotherEpochOrOneThatWasDropped() throws Exception {
        sendEpoch(SESSION, 3, 9, 1);
        deliver();
        assertThrows(IllegalStateException.class, () -> receiver.staged(8));
        assertNotNull(receiver.staged(9));
        receiver.dropStaged();
        assertThrows(IllegalStateException.class, () -> receiver.staged(9));
        sendEpoch(SESSION, 3, 10, 1);
        deliver();
        assertNotNull("the next one is not affected", receiver.staged(10));
    }

    @Test
    public void shouldNotAcknowledgeAnEpochThatWasDroppedHalfway() throws Exception {
        sendEpoch(SESSION, 3, 9, manyPages());
        byte[] end = wire.remove(wire.size() - 1);
        deliver();
        receiver.dropStaged();
        receiver.onMessage(ByteBuffer.wrap(end));
        assertEquals(List.of(), events);
    }

    @Test
    public void shouldReplaceAnUnfinishedEpochByTheNextOne() throws Exception {
        fill(from, 1, content(1));
        fill(from, 2, content(2));
        sendEpoch(SESSION, 3, 9, 1);
        wire.remove(wire.size() - 1);
        sendEpoch(SESSION, 3, 10, 2);
        deliver();
        receiver.staged(10).applyTo(to);
        assertArrayEquals(new byte[PAGE], read(to, 1));
        assertArrayEquals(content(2), read(to, 2));
    }

    @Test
    public void shouldPutPagesOfARunningCopyInPlaceAtOnce() throws Exception {
        fill(from, 7, content(7));
        fill(to, 8, content(8));
        sender.to(1, SESSION, 3, 0);
        ByteBuffer begin = sender.begin(BulkWire.SESSION, 4 + 4 + 32);
        sender.message(begin.putInt(PAGES).putInt(32).put(new byte[32]).flip());
        sender.beginPages(BulkWire.PRECOPY);
        sender.page(7, from + 7L * PAGE);
        sender.page(8, from + 8L * PAGE);
        sender.endPages();
        deliver();
        assertArrayEquals(content(7), read(to, 7));
        assertArrayEquals(new byte[PAGE], read(to, 8));
    }

    @Test
    public void shouldRefuseAGuestOfAnotherSizeAndPagesThatItDoesNotHave() throws Exception {
        sender.to(1, SESSION, 3, 0);
        sender.message(sender.begin(BulkWire.SESSION, 8).putInt(PAGES - 1).putInt(0).flip());
        IllegalArgumentException size = assertThrows(IllegalArgumentException.class, this::deliver);
        assertTrue(size.getMessage(), size.getMessage().contains("give both the same memoryMiB"));
        wire.clear();
        sender.beginPages(BulkWire.PRECOPY);
        sender.page(PAGES, from);
        sender.endPages();
        assertThrows(IllegalArgumentException.class, this::deliver);
    }

    @Test
    public void shouldWaitForALinkThatIsSlow() throws Exception {
        fill(from, 1, content(1));
        refusals = 5;
        sendEpoch(SESSION, 3, 9, 1);
        deliver();
        assertEquals(List.of("onStaged[3, 9, 55]"), events);
        receiver.staged(9).applyTo(to);
        assertArrayEquals(content(1), read(to, 1));
    }

    @Test
    public void shouldGiveUpWhenTheLinkGoesDownOrItIsNoLongerWanted() throws Exception {
        connected = false;
        assertThrows(PageSender.Cancelled.class, () -> sendEpoch(SESSION, 3, 9, 1));
        connected = true;
        cancelled = true;
        refusals = 1;
        assertThrows(PageSender.Cancelled.class, () -> sendEpoch(SESSION, 3, 9, 1));
        cancelled = false;
        refusals = 0;
        sendEpoch(SESSION, 3, 10, 1);
        deliver();
        assertEquals("the next one begins afresh", List.of("onStaged[3, 10, 55]"), events);
    }

    @Test
    public void shouldBringTheBackupsDirtyPagesAndDigests() throws Exception {
        PageSet dirty = new PageSet(PAGES);
        dirty.addRange(3, 90);
        sender.to(0, 0, 3, 9);
        ByteBuffer m = sender.begin(BulkWire.DIRTY, dirty.encodedBytes());
        dirty.encode(m);
        sender.message(m.flip());
        long[] digests = new Random(1).longs(2L * (BulkWire.DIGESTS_MAX * 2 + 5)).toArray();
        sender.digests(BulkWire.DIGESTS, digests);
        assertEquals(1 + 3, wire.size());
        deliver();
        assertEquals(List.of("onPeerDirty[3]", "onPeerDigests[3]"), events);
        assertArrayEquals(dirty.toArray(), dirtySeen.toArray());
        assertArrayEquals(digests, digestsSeen);
        sender.digests(BulkWire.DIGESTS, new long[0]);
        deliver();
        assertEquals("no digests are an answer too", 0, digestsSeen.length);
    }

    @Test
    public void shouldRefuseDigestsOfWhichSomeAreMissing() throws Exception {
        sender.to(0, 0, 3, 9);
        sender.digests(BulkWire.DIGESTS, new long[2 * (BulkWire.DIGESTS_MAX + 1)]);
        wire.remove(0);
        assertThrows(IllegalArgumentException.class, this::deliver);
        assertFalse(events.contains("onPeerDigests[3]"));
    }

    @Test
    public void shouldBringDigestsOfAllMemoryForAComparison() throws Exception {
        sender.to(1, SESSION, 3, 9);
        ByteBuffer state = sender.begin(BulkWire.STATE, 8 + 2 + 4);
        sender.message(state.putLong(1).putShort((short) 0).putInt(0).flip());
        long[] all = new Random(2).longs(2L * PAGES).toArray();
        sender.digests(BulkWire.ALL_DIGESTS, all);
        sender.end();
        deliver();
        assertArrayEquals(all, receiver.staged(9).allDigests());
    }

    @Test
    public void shouldIgnoreEverythingWhenTheMachineIsGone() throws Exception {
        sendEpoch(SESSION, 3, 9, manyPages());
        receiver.machineGone();
        deliver();
        assertEquals(List.of(), events);
    }
}
