package org.plover.consensus.paxos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;
import org.plover.api.consensus.Membership;
import org.plover.api.consensus.StableStorage;

/**
 * What survives a restart (S5). Every change is on stable storage before the fields show it, so whoever reads a field may
 * act on it.
 *
 * <p>There is no field for whom a view was promised to, and none for the last normal view: a view's number says who alone may
 * lead it ({@link PaxosCore#leaderOf}), and every entry carries the view that proposed it, which says which log is the better one.
 */
final class Ballot {
    private static final int FORMAT = 0x504c5631;
    private static final int HEAD = 4 + 8 + 8;

    private final StableStorage storage;
    private final ByteBuffer record = ByteBuffer.allocate(HEAD + 2 * (1 + Membership.BYTES));

    /** Durable. This member's random number. */
    private long incarnation;
    /** Durable. Highest view promised or entered; 0 as long as this member never took part in one. */
    private long view;
    /** Durable. Newest membership known to be committed; null if none is. */
    private Membership inForce;
    /** Durable. Newest membership accepted, committed or not; null before the first. */
    private Membership membership;

    /** Reads the record, or draws {@code newIncarnation} and writes the first one. */
    Ballot(StableStorage storage, long newIncarnation) throws IOException {
        this.storage = storage;
        Optional<byte[]> stored = storage.load();
        if (stored.isPresent()) {
            decode(stored.get());
        } else {
            write(newIncarnation, 0, null, null);
        }
    }

    long incarnation() {
        return incarnation;
    }

    long view() {
        return view;
    }

    Membership inForce() {
        return inForce;
    }

    Membership membership() {
        return membership;
    }

    /**
     * Blocks until the record is durable.
     *
     * @throws UncheckedIOException if it is not; nothing has changed then, and what was to be promised must not be
     */
    void store(long newView, Membership newInForce, Membership newMembership) {
        if (newView < view) {
            throw new IllegalStateException("view would go back from " + view + " to " + newView);
        }
        if (newView == view && Objects.equals(newInForce, inForce) && Objects.equals(newMembership, membership)) {
            return;
        }
        try {
            write(incarnation, newView, newInForce, newMembership);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot store view " + newView + " and " + newMembership
                    + "; this member must not go on before its stable storage is writable again", e);
        }
    }

    private void write(long newIncarnation, long newView, Membership newInForce, Membership newMembership) throws IOException {
        record.clear().putInt(FORMAT).putLong(newIncarnation).putLong(newView);
        Wire.putMembership(record, newInForce);
        Wire.putMembership(record, newMembership);
        byte[] bytes = new byte[record.position()];
        record.flip().get(bytes);
        storage.store(bytes);
        incarnation = newIncarnation;
        view = newView;
        inForce = newInForce;
        membership = newMembership;
    }

    private void decode(byte[] bytes) throws IOException {
        ByteBuffer from = ByteBuffer.wrap(bytes);
        if (bytes.length < HEAD || from.getInt() != FORMAT) {
            throw new IOException("the stable record is not one of the paxos provider (" + bytes.length
                    + " bytes): another consensus provider wrote it, or it is damaged; restore it, or clear it so that this"
                    + " member joins anew");
        }
        try {
            incarnation = from.getLong();
            view = from.getLong();
            inForce = Wire.getMembership(from);
            membership = Wire.getMembership(from);
        } catch (BufferUnderflowException e) {
            throw new IOException("the stable record is cut short (" + bytes.length + " bytes); restore it, or clear it so that"
                    + " this member joins anew", e);
        }
    }
}
