package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.Test;

/** Guests on many threads, over a journal that is always being emptied. */
public class StoreConcurrencyTest {
    private static final int THREADS = 4;
    private static final int SHARE = 150;
    private static final int ROUNDS = 3_000;

    private interface Driver {
        void step(Guest guest, int number) throws Exception;
    }

    private static void run(Driver driver, int seed) throws Exception {
        Guest guest = new Guest(Guest.images(1, THREADS * SHARE), 1, new StoreSettings(1 << 20, 1 << 16, 1 << 20));
        guest.disks.throttle(false);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        int[] values = new int[THREADS * SHARE];
        List<Future<Void>> running = new ArrayList<>();
        AtomicBoolean failed = new AtomicBoolean();
        for (int t = 0; t < THREADS; t++) {
            int mine = t;
            Callable<Void> work = () -> {
                Random random = new Random(seed * 100L + mine);
                try {
                    for (int i = 0; i < ROUNDS && !failed.get(); i++) {
                        request(guest, values, mine * SHARE + random.nextInt(SHARE), random, i);
                    }
                } catch (Throwable e) {
                    failed.set(true);
                    throw e;
                }
                return null;
            };
            running.add(threads.submit(work));
        }
        for (int n = 1; !running.stream().allMatch(Future::isDone); n++) {
            driver.step(guest, n);
        }
        for (Future<Void> thread : running) {
            thread.get();
        }
        threads.shutdown();
        guest.disks.alone();
        guest.disks.close();
        Guest after = new Guest(guest.files, 1);
        for (int b = 0; b < values.length; b++) {
            assertEquals(values[b], after.read(0, b));
        }
        after.disks.close();
    }

    private static void request(Guest guest, int[] values, int block, Random random, int i) throws IOException {
        switch (random.nextInt(13)) {
            case 0, 1, 2, 3 -> assertEquals("block " + block, values[block], guest.read(0, block));
            case 4 -> {
                guest.zero(0, block, 1);
                values[block] = 0;
            }
            case 5 -> guest.flush();
            case 12 -> {
                // Long enough to go into the image at once.
                int count = 16 + random.nextInt(20);
                int from = block / SHARE * SHARE + random.nextInt(SHARE - count);
                guest.writeLong(0, from, count, i + 1);
                for (int n = 0; n < count; n++) {
                    values[from + n] = i + 1 + n;
                }
            }
            case 6 -> {
                // The two halves of a block, each read from below and changed.
                for (int half = 0; half < 2; half++) {
                    guest.disks.exports().get(0).write(block * 4096L + half * 2048, Guest.block(i + 1).limit(2048), half == 1);
                }
                values[block] = i + 1;
            }
            default -> {
                guest.write(0, block, i + 1);
                values[block] = i + 1;
            }
        }
    }

    @Test
    public void shouldReadWhatWasWrittenWhileAlone() throws Exception {
        run((guest, n) -> {
            Thread.sleep(1);
            guest.disks.nextData(0);
            guest.disks.changed(0);
        }, 1);
    }

    @Test
    public void shouldReadWhatWasWrittenWhileEpochsEnd() throws Exception {
        run((guest, n) -> {
            guest.disks.seal(n);
            guest.disks.commit(n).join();
            guest.disks.settle(n);
        }, 2);
    }

    @Test
    public void shouldReadWhatWasWrittenWhileBackupsComeAndGo() throws Exception {
        run((guest, n) -> {
            guest.disks.seal(n);
            guest.disks.commit(n);
            if (n % 5 == 0) {
                guest.disks.alone();
                Thread.sleep(1);
            }
        }, 3);
    }
}
