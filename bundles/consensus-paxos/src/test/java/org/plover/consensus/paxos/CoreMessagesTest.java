package org.plover.consensus.paxos;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.Test;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.ConsensusHost;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.StableStorage;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;

/** One core, and messages made by hand. */
public class CoreMessagesTest implements ConsensusHost, StableStorage {
    private final List<byte[]> sent = new ArrayList<>();
    private byte[] record;

    @Test
    public void shouldRefuseALeaderOfAViewThatIsNotItsOwn() throws Exception {
        Consensus witness = witness();
        IllegalStateException e = assertThrows(IllegalStateException.class,
                () -> witness.onMessage(0, 7, append(2), 0));
        assertTrue(e.getMessage(), e.getMessage().contains("S1"));
    }

    @Test
    public void shouldAnswerAMessageOfAnOlderViewWithItsOwnView() throws Exception {
        Consensus witness = witness();
        witness.onMessage(1, 8, append(4), 0);
        sent.clear();
        witness.onMessage(0, 7, append(3), 0);
        ByteBuffer last = ByteBuffer.wrap(sent.get(sent.size() - 1));
        assertEquals(MessageType.STATUS, MessageType.of(last.get()));
        last.get();
        assertEquals(4, last.getLong());
        assertEquals(1, witness.leader());
    }

    @Test
    public void shouldRememberItsIncarnationAndViewAndRefuseADamagedRecord() throws Exception {
        Consensus witness = witness();
        witness.onMessage(1, 8, append(4), 0);
        Consensus again = witness();
        assertEquals(witness.incarnation(), again.incarnation());
        assertEquals(4, again.view());
        byte[] whole = record;
        record = Arrays.copyOf(whole, whole.length - 1);
        assertThrows(IOException.class, this::witness);
        record = new byte[40];
        assertThrows(IOException.class, this::witness);
    }

    @Test
    public void shouldKeepTheSettingsInForceWhenNewOnesDoNotFit() {
        assertThrows(IllegalArgumentException.class, () -> new Settings(20, 40, 40, 1, 1 << 20, 4096, 1 << 20, 1 << 20));
        assertThrows(IllegalArgumentException.class, () -> new Settings(20, 250, 250, 1, 1 << 20, 4096, 1 << 20, 1 << 16));
        assertThrows(IllegalArgumentException.class, () -> new Settings(20, 150, 100, 1, 1 << 20, 4096, 1 << 20, 1 << 20));
    }

    private ByteBuffer append(long view) {
        ByteBuffer m = ByteBuffer.allocate(100);
        m.put((byte) MessageType.APPEND.ordinal()).put((byte) 0).putLong(view);
        m.putLong(0).putLong(0).putLong(0).putLong(0).putLong(0).putLong(0).putLong(0).putInt(0);
        return m.flip();
    }

    private Consensus witness() throws IOException {
        Group group = new Group("g", 2, List.of(new Member(0, "a", MemberKind.REPLICA, "a", 1), new Member(1, "b", MemberKind.REPLICA, "b", 1),
                new Member(2, "w", MemberKind.WITNESS, "w", 1)));
        Consensus c = new PaxosProvider().create(group, this, 3, this);
        c.start(0);
        return c;
    }

    @Override
    public Optional<byte[]> load() {
        return Optional.ofNullable(record);
    }

    @Override
    public void store(byte[] bytes) {
        record = bytes;
    }

    @Override
    public void send(int member, ByteBuffer message) {
        byte[] bytes = new byte[message.remaining()];
        message.get(bytes);
        sent.add(bytes);
    }

    @Override
    public void deliver(long index, EntryType type, ByteBuffer payload) {
        throw new AssertionError("nothing was committed");
    }

    @Override
    public boolean canLead() {
        return false;
    }

    @Override
    public boolean canColdStart() {
        return false;
    }

    @Override
    public void onColdStart(String why) {
        throw new AssertionError("a witness does not form");
    }

    @Override
    public void onLeading(long view) {
        throw new AssertionError("a witness does not lead");
    }

    @Override
    public void onFollowing(long view, int leader) {
        // seen through leader()
    }

    @Override
    public void onViewChange(long view) {
        // seen through state()
    }
}
