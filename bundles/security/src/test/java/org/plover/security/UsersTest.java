package org.plover.security;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.control.AccessRole;

public class UsersTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    private Path data;
    private long now;
    private Users users;

    @Before
    public void start() throws IOException {
        data = folder.getRoot().toPath();
        Files.writeString(data.resolve("console-password"), "made by the launcher\n");
        users = open();
    }

    private Users open() throws IOException {
        return new Users(data, () -> SecuritySettings.DEFAULTS, () -> now);
    }

    private UserFile.User login(String name, String password) {
        return users.login(name, password.toCharArray(), "192.0.2.1").user();
    }

    @Test
    public void shouldMakeTheFirstAdministratorAndNobodyElse() throws IOException {
        assertEquals(AccessRole.ADMINISTRATOR, login("plover", "made by the launcher").role());
        assertNull(login("plover", "plover"));
        assertNull(login("admin", "admin"));
        assertEquals(1, users.list().size());
        Path file = data.resolve("users");
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertFalse(Files.readString(file).contains("launcher"));
    }

    @Test
    public void shouldRememberUsersOverARestart() throws IOException {
        users.add("vera", AccessRole.VIEWER, "correct horse".toCharArray());
        users = open();
        assertEquals(AccessRole.VIEWER, login("vera", "correct horse").role());
        assertNull(login("vera", "correct hors"));
    }

    @Test
    public void shouldForgetTheFormerPasswordAndTheLaunchersFile() throws IOException {
        assertNotNull(login("plover", "made by the launcher"));
        users.password("plover", "another password".toCharArray());
        assertNull(login("plover", "made by the launcher"));
        assertNotNull(login("plover", "another password"));
        assertFalse(Files.exists(data.resolve("console-password")));
    }

    @Test
    public void shouldRefuseWhatCannotBe() throws IOException {
        for (String name : new String[] {"", "a b", "a:b", "../x", "-x"}) {
            assertThrows(name, IllegalArgumentException.class, () -> users.add(name, AccessRole.VIEWER, "long enough it is".toCharArray()));
        }
        assertThrows(IllegalArgumentException.class, () -> users.add("vera", AccessRole.VIEWER, "short".toCharArray()));
        assertThrows(IllegalArgumentException.class, () -> users.add("plover", AccessRole.VIEWER, "long enough it is".toCharArray()));
        var last = assertThrows(IllegalArgumentException.class, () -> users.remove("plover"));
        assertEquals("plover is the only administrator; add another one first", last.getMessage());
        assertThrows(IllegalArgumentException.class, () -> users.unlock("nobody"));
    }

    @Test
    public void shouldLockOutAfterTwentyWrongLoginsUntilAnAdministratorUnlocks() throws IOException {
        users.add("vera", AccessRole.VIEWER, "correct horse".toCharArray());
        for (int i = 0; i < 20; i++) {
            assertNull(login("vera", "wrong" + i));
        }
        assertNull("even the right one is of no use now", login("vera", "correct horse"));
        assertTrue(users.list().get(1).lockedForMillis() > 899_000);
        assertNotNull("others are not locked out", login("plover", "made by the launcher"));
        users.unlock("vera");
        assertNotNull(login("vera", "correct horse"));
    }

    @Test
    public void shouldLockOutAnAddressThatTriesManyNames() {
        for (int i = 0; i < SecuritySettings.DEFAULTS.addressAttemptsMax(); i++) {
            // Too long to be looked at, so that this test takes no minute.
            users.login("name" + i, new char[Users.PASSWORD_CHARS_MAX + 1], "192.0.2.66");
        }
        assertTrue(users.login("plover", "made by the launcher".toCharArray(), "192.0.2.66").waitMillis() > 0);
        assertNotNull("from elsewhere it goes on", login("plover", "made by the launcher"));
    }

    @Test
    public void shouldLetNobodyInWithAFileThatItDoesNotUnderstand() throws IOException {
        Files.writeString(data.resolve("users"), "plover emperor 1000$AAAA$AAAA\n");
        IOException failure = assertThrows(IOException.class, this::open);
        assertTrue(failure.getMessage(), failure.getMessage().contains("line 1: there is no role emperor"));
        Files.delete(data.resolve("users"));
        Files.delete(data.resolve("console-password"));
        assertThrows(IOException.class, this::open);
    }
}
