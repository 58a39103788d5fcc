package org.plover.replication;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class FileStableStorageTest {
    private static final byte[] RECORD = {1, 2, 3, 4, 5, 6, 7, 8, 9};

    @Rule
    public TemporaryFolder folder = new TemporaryFolder();

    private Path file;
    private FileStableStorage storage;

    @Before
    public void setUp() {
        file = folder.getRoot().toPath().resolve("votes");
        storage = new FileStableStorage(file);
    }

    private void assertDamaged() {
        IOException e = assertThrows(IOException.class, () -> storage.load());
        assertTrue(e.getMessage(), e.getMessage().startsWith(file + " is not a usable record of votes: "));
        assertTrue("says what to do", e.getMessage().contains("move that file away"));
    }

    @Test
    public void shouldRememberNothingAtFirst() throws Exception {
        assertEquals(Optional.empty(), storage.load());
    }

    @Test
    public void shouldGiveBackWhatWasStoredLast() throws Exception {
        storage.store(new byte[] {42});
        storage.store(RECORD);
        assertArrayEquals(RECORD, storage.load().orElseThrow());
        assertArrayEquals(RECORD, new FileStableStorage(file).load().orElseThrow());
        storage.store(new byte[0]);
        assertEquals(0, storage.load().orElseThrow().length);
    }

    @Test
    public void shouldRefuseATornFileOfWhateverLength() throws Exception {
        storage.store(RECORD);
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertDamaged();
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertDamaged();
    }

    @Test
    public void shouldRefuseAFileWithAnyByteChanged() throws Exception {
        storage.store(RECORD);
        byte[] whole = Files.readAllBytes(file);
        for (int i = 0; i < whole.length; i++) {
            byte[] changed = whole.clone();
            changed[i] ^= 0x10;
            Files.write(file, changed);
            assertDamaged();
        }
    }

    @Test
    public void shouldLeaveTheOldRecordUntilTheNewOneIsWhole() throws Exception {
        storage.store(RECORD);
        Path next = file.resolveSibling("votes.new");
        Files.write(next, new byte[] {1, 2}); // as a crash in the middle of writing leaves it
        assertArrayEquals(RECORD, storage.load().orElseThrow());
        storage.store(new byte[] {7});
        assertArrayEquals(new byte[] {7}, storage.load().orElseThrow());
        assertFalse(Files.exists(next));
    }

    @Test
    public void shouldKeepTheOldRecordWhenStoringFails() throws Exception {
        storage.store(RECORD);
        Files.createDirectory(file.resolveSibling("votes.new"));
        IOException e = assertThrows(IOException.class, () -> storage.store(new byte[] {7}));
        assertTrue(e.getMessage(), e.getMessage().startsWith("cannot keep what this member promises in " + file + ": "));
        assertTrue("says what to do", e.getMessage().contains("make room there"));
        assertArrayEquals(RECORD, storage.load().orElseThrow());
    }
}
