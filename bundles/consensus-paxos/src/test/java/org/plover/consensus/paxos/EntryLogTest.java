package org.plover.consensus.paxos;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.Test;
import org.plover.api.consensus.EntryType;

public class EntryLogTest {
    @Test
    public void shouldHoldExactlyWhatAPlainListHoldsWhileItsRingWrapsAndGrows() {
        EntryLog log = new EntryLog();
        List<byte[]> model = new ArrayList<>();
        long base = 0;
        Random random = new Random(5);
        for (int step = 0; step < 60_000; step++) {
            int what = random.nextInt(100);
            if (what < 80) {
                byte[] payload = new byte[random.nextInt(step % 1000 == 0 ? 200_000 : 900)];
                random.nextBytes(payload);
                log.append(step, EntryType.INPUT, ByteBuffer.wrap(payload));
                model.add(payload);
            } else if (what < 84 && !model.isEmpty()) {
                int keep = Math.max(0, model.size() - random.nextInt(4));
                log.dropAfter(base + keep);
                model.subList(keep, model.size()).clear();
            } else if (what < 88 && !model.isEmpty()) {
                int drop = random.nextInt(model.size() + 1);
                log.dropUpTo(base + drop);
                model.subList(0, drop).clear();
                base += drop;
            }
            assertEquals(base, log.base());
            assertEquals(base + model.size(), log.last());
            if (!model.isEmpty()) {
                int i = random.nextInt(model.size());
                assertEquals(ByteBuffer.wrap(model.get(i)), log.payloadAt(base + 1 + i));
                assertEquals(ByteBuffer.wrap(model.get(i)), log.deliverableAt(base + 1 + i));
            }
        }
        long bytes = model.stream().mapToLong(p -> p.length + Wire.ENTRY_OVERHEAD).sum();
        assertEquals(bytes, log.bytes());
    }

    @Test
    public void shouldRefuseToReadWhatItDoesNotHold() {
        EntryLog log = new EntryLog();
        log.append(1, EntryType.NOOP, ByteBuffer.allocate(0));
        log.append(1, EntryType.NOOP, ByteBuffer.allocate(0));
        log.dropUpTo(1);
        assertEquals("the base's view is still known", 1, log.viewAt(1));
        assertThrows(IllegalStateException.class, () -> log.payloadAt(1));
        assertThrows(IllegalStateException.class, () -> log.payloadAt(3));
        assertThrows(IllegalStateException.class, () -> log.dropAfter(0));
    }
}
