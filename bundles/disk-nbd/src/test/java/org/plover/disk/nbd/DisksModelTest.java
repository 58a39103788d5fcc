package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.Test;
import org.plover.api.disk.Disks;
import org.plover.api.memory.PageSet;

/**
 * Random calls and crashes against a model that keeps each layer in an array. What a crash may leave is known exactly for epochs, and
 * block by block for what a guest without a backup has written since its last flush: long requests of it go into the images at once, and
 * of those even sector by sector.
 */
public class DisksModelTest {
    private static final int DISKS = 2;
    private static final int BLOCKS = 600;
    private static final StoreSettings TINY = new StoreSettings(1 << 20, 1 << 16, 1 << 20);

    @Test
    public void shouldBehaveLikeLayersOfArraysAndSurviveCrashes() throws IOException {
        for (int seed = 0; seed < 100; seed++) {
            try {
                new Run(seed).steps(120);
            } catch (AssertionError | IOException | RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    private static final class Run {
        final Random random;
        Guest real;
        int nextValue = 1;
        long nextEpoch = 1;

        int[] guest = new int[DISKS * BLOCKS];
        int[] lower = new int[DISKS * BLOCKS];
        boolean together;
        Set<Integer> written = new HashSet<>();
        Set<Integer> maybeWritten = new HashSet<>();

        /** What is durable for certain, and what else may be there of each block. */
        int[] durable = new int[DISKS * BLOCKS];
        Set<Long> durableEpochs = new HashSet<>(Set.of(0L));
        List<Set<Integer>> loose = new ArrayList<>();
        /** Blocks that long requests have written since. */
        Set<Integer> tearable = new HashSet<>();
        List<Pending> pending = new ArrayList<>();
        int[] staged;
        long stagedEpoch;
        /** What the other replica of the bond is known to have. */
        int[] other = new int[DISKS * BLOCKS];

        record Pending(long epoch, int[] content, CompletableFuture<Void> commit) {
        }

        Run(int seed) throws IOException {
            random = new Random(seed);
            for (int i = 0; i < DISKS * BLOCKS; i++) {
                loose.add(new HashSet<>());
            }
            real = new Guest(Guest.images(DISKS, BLOCKS), DISKS, TINY);
            real.disks.bond(1);
            real.disks.throttle(false);
        }

        void steps(int count) throws IOException {
            for (int i = 0; i < count; i++) {
                step();
            }
            crash();
            real.disks.close();
        }

        private void step() throws IOException {
            switch (random.nextInt(19)) {
                case 0, 1, 2, 3, 4 -> write();
                case 16, 17 -> writeLong();
                case 18 -> {
                    if (random.nextInt(3) == 0) {
                        kill();
                    }
                }
                case 5 -> zero();
                case 6 -> flush();
                case 7, 8 -> endEpoch();
                case 9, 10 -> stageEpoch();
                case 11 -> compare();
                case 12 -> compareWritten();
                case 13 -> alone();
                case 14 -> {
                    if (random.nextInt(3) == 0) {
                        reopen();
                    }
                }
                default -> {
                    if (random.nextInt(2) == 0) {
                        crash();
                    }
                }
            }
        }

        private static long id(int i) {
            return Disks.id(i / BLOCKS, i % BLOCKS);
        }

        private void put(int i, int value) {
            guest[i] = value;
            if (!together) {
                lower[i] = value;
                loose.get(i).add(value);
            }
        }

        private void write() throws IOException {
            int run = random.nextInt(8) == 0 ? 100 : 5;
            int from = random.nextInt(DISKS * BLOCKS - run);
            for (int i = from; i < from + run; i++) {
                real.write(i / BLOCKS, i % BLOCKS, nextValue);
                put(i, nextValue++);
                written.add(i);
            }
        }

        /** In one request, which goes into the image at once if nothing is above it. */
        private void writeLong() throws IOException {
            int run = 16 + random.nextInt(random.nextInt(4) == 0 ? 300 : 30);
            int disk = random.nextInt(DISKS);
            int from = random.nextInt(BLOCKS - run);
            real.writeLong(disk, from, run, nextValue);
            for (int i = disk * BLOCKS + from; i < disk * BLOCKS + from + run; i++) {
                put(i, nextValue++);
                written.add(i);
                if (!together) {
                    tearable.add(i);
                }
            }
        }

        private void zero() throws IOException {
            int run = 1 + random.nextInt(60);
            int disk = random.nextInt(DISKS);
            int from = random.nextInt(BLOCKS - run);
            real.zero(disk, from, run);
            for (int i = disk * BLOCKS + from; i < disk * BLOCKS + from + run; i++) {
                (guest[i] == 0 ? maybeWritten : written).add(i);
                put(i, 0);
            }
        }

        private void flush() throws IOException {
            real.flush();
            if (!together) {
                certain(guest);
            }
        }

        private void certain(int[] content) {
            durable = content.clone();
            loose.forEach(Set::clear);
            tearable.clear();
        }

        private void endEpoch() throws IOException {
            if (staged != null) {
                return;
            }
            long epoch = nextEpoch++;
            real.disks.seal(epoch);
            together = true;
            lower = guest.clone();
            write();
            compare();
            CompletableFuture<Void> commit = real.disks.commit(epoch);
            pending.add(new Pending(epoch, lower.clone(), commit));
            if (random.nextInt(3) > 0) {
                settlePending();
                if (random.nextInt(2) == 0) {
                    real.disks.settle(epoch);
                    other = lower.clone();
                } else if (random.nextInt(4) == 0) {
                    real.disks.bond(epoch);
                    other = lower.clone();
                }
            }
        }

        /** All commits that were begun are durable now. */
        private void settlePending() {
            for (Pending commit : pending) {
                commit.commit.join();
                // An epoch without content is not waited for: its number may be lost with the power.
                if (!Arrays.equals(durable, commit.content)) {
                    durableEpochs.clear();
                }
                durableEpochs.add(commit.epoch);
                certain(commit.content);
            }
            pending.clear();
        }

        private void stageEpoch() throws IOException {
            long epoch = nextEpoch++;
            int[] content = (together ? lower : guest).clone();
            if (!together) {
                // A backup begins from something durable, without anything that its guest has written since.
                alone();
                content = guest.clone();
            }
            real.disks.stageBegin(epoch);
            staged = null;
            for (int n = random.nextInt(40); n > 0; n--) {
                int i = random.nextInt(DISKS * BLOCKS);
                if (random.nextInt(4) == 0) {
                    real.disks.stageSame(id(i));
                    content[i] = guest[i];
                } else {
                    real.disks.stage(id(i), Guest.block(nextValue));
                    content[i] = nextValue++;
                }
            }
            real.disks.stageEnd(epoch);
            settlePending();
            together = true;
            staged = content;
            stagedEpoch = epoch;
            assertEquals(epoch, real.disks.epoch());
            compare();
            switch (random.nextInt(5)) {
                case 0 -> {
                    if (random.nextBoolean()) {
                        crash();
                    }
                }
                case 1 -> alone();
                default -> apply();
            }
        }

        private void apply() throws IOException {
            real.disks.apply(stagedEpoch);
            if (!Arrays.equals(durable, staged)) {
                durableEpochs.clear();
            }
            durableEpochs.add(stagedEpoch);
            certain(staged);
            guest = staged.clone();
            lower = staged.clone();
            other = staged.clone();
            written.clear();
            maybeWritten.clear();
            staged = null;
        }

        private void alone() throws IOException {
            real.disks.alone();
            settlePending();
            together = false;
            staged = null;
            lower = guest.clone();
            certain(guest);
        }

        private void compare() throws IOException {
            for (int n = 0; n < 60; n++) {
                int i = random.nextInt(DISKS * BLOCKS);
                assertEquals("guest's block " + i, guest[i], real.read(i / BLOCKS, i % BLOCKS));
                assertEquals("sealed block " + i, lower[i], real.readSealed(i / BLOCKS, i % BLOCKS));
            }
            int from = random.nextInt(DISKS * BLOCKS);
            int expected = from;
            while (expected < (from / BLOCKS + 1) * BLOCKS && lower[expected] == 0) {
                expected++;
            }
            long next = real.disks.nextData(id(from));
            if (expected == (from / BLOCKS + 1) * BLOCKS) {
                assertTrue(next == -1 || next >= id(from));
            } else {
                assertTrue("skips " + expected, next >= id(from) && next <= id(expected));
            }
            requireChanged(together ? lower : guest);
        }

        private void requireChanged(int[] now) {
            PageSet[] changed = new PageSet[DISKS];
            for (int d = 0; d < DISKS; d++) {
                changed[d] = real.disks.changed(d);
            }
            for (int i = 0; i < DISKS * BLOCKS; i++) {
                if (now[i] != other[i]) {
                    assertTrue("change of block " + i + " is missed", changed[i / BLOCKS].contains(i % BLOCKS / Disks.CHUNK_BLOCKS));
                }
            }
        }

        private void compareWritten() {
            Set<Integer> told = new HashSet<>();
            long last = -1;
            for (long id : real.disks.fetchWritten()) {
                assertTrue("ascending", id > last);
                last = id;
                told.add(Disks.diskOf(id) * BLOCKS + (int) Disks.blockOf(id));
            }
            assertTrue("missed", told.containsAll(written));
            told.removeAll(written);
            assertTrue("told too much", maybeWritten.containsAll(told));
            written.clear();
            maybeWritten.clear();
        }

        private void reopen() throws IOException {
            real.disks.close();
            afterwards(new Guest(real.files, DISKS, TINY));
        }

        /** The process ends, the machine goes on. */
        private void kill() throws IOException {
            real.disks.close(false);
            afterwards(new Guest(real.files, DISKS, TINY));
        }

        private void crash() throws IOException {
            MemoryFiles left = real.files.crash(random);
            real.disks.close(false);
            afterwards(new Guest(left, DISKS, TINY));
        }

        private void afterwards(Guest opened) throws IOException {
            real = opened;
            real.disks.throttle(false);
            int[] found = new int[DISKS * BLOCKS];
            List<Integer> torn = new ArrayList<>();
            for (int i = 0; i < found.length; i++) {
                int[] sectors = real.readSectors(i / BLOCKS, i % BLOCKS);
                found[i] = sectors[0];
                if (Arrays.stream(sectors).distinct().count() > 1) {
                    assertTrue("block " + i + " is torn", tearable.contains(i));
                    for (int sector : sectors) {
                        assertTrue("a sector of block " + i + " is " + sector, sector == durable[i] || loose.get(i).contains(sector));
                    }
                    torn.add(i);
                }
            }
            requireOneOfThoseExpected(found, real.disks.epoch());
            requireChanged(found);
            guest = found.clone();
            lower = found.clone();
            pending.clear();
            certain(found);
            durableEpochs = new HashSet<>(Set.of(real.disks.epoch()));
            staged = null;
            together = false;
            written.clear();
            maybeWritten.clear();
            for (int i : torn) {
                real.write(i / BLOCKS, i % BLOCKS, nextValue);
                put(i, nextValue++);
                written.add(i);
            }
            if (!torn.isEmpty()) {
                flush();
            }
        }

        private void requireOneOfThoseExpected(int[] found, long epoch) {
            if (staged != null) {
                // Durable and not void, whether in place or not; one without content may have lost its number.
                assertTrue("the staged epoch", Arrays.equals(staged, found)
                        && (epoch == stagedEpoch || Arrays.equals(staged, durable) && durableEpochs.contains(epoch)));
                return;
            }
            for (Pending commit : pending) {
                if (Arrays.equals(commit.content, found)) {
                    return;
                }
            }
            for (int i = 0; i < found.length; i++) {
                assertTrue("block " + i + " is " + found[i] + " instead of " + durable[i] + " or one of " + loose.get(i),
                        found[i] == durable[i] || loose.get(i).contains(found[i]));
            }
            assertTrue("epoch " + epoch + " is none of " + durableEpochs, durableEpochs.contains(epoch));
        }
    }
}
