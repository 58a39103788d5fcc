package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.linux.Linux;
import org.plover.linux.SystemCallException;

public class SupervisorTest {
    private static final long SYS_GETPPID = 110;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private Supervisor start(String... program) throws Exception {
        Path scratch = folder.getRoot().toPath().resolve("scratch");
        Files.createDirectories(scratch);
        Files.writeString(scratch.resolve("left over"), "x");
        return Supervisor.start(List.of(program), 0, scratch, folder.getRoot().toPath().resolve("log"));
    }

    @Test
    public void shouldKillTheProgramAndRemoveItsScratchDirectory() throws Exception {
        Supervisor s = start("sleep", "60");
        assertFalse(s.awaitEnd(0));
        assertEquals("killed by signal 9", Supervisor.describe(s.kill()));
        assertTrue(s.awaitEnd(0));
        assertFalse(Files.exists(folder.getRoot().toPath().resolve("scratch")));
        assertEquals("again", 137, s.kill());
        s.close();
    }

    @Test
    public void shouldWaitForAnEarlierOneThatWouldRemoveTheScratchDirectoryOfTheNext() throws Exception {
        Path scratch = folder.getRoot().toPath().resolve("scratch");
        assertTrue("nobody is there", Supervisor.awaitEarlier(scratch, 0));
        Supervisor s = start("sleep", "60");
        assertFalse(Supervisor.awaitEarlier(scratch, 100));
        assertTrue("another directory's does not matter", Supervisor.awaitEarlier(folder.getRoot().toPath(), 0));
        s.kill();
        assertTrue(Supervisor.awaitEarlier(scratch, 5000));
        assertFalse(Files.exists(scratch));
        s.close();
    }

    @Test
    public void shouldTellHowTheProgramEndedAndWhatItSaid() throws Exception {
        Supervisor s = start("sh", "-c", "echo famous last words >&2; exit 7");
        assertTrue(s.awaitEnd(5000));
        assertEquals("exit status 7", Supervisor.describe(s.kill()));
        assertEquals("famous last words\n", Files.readString(folder.getRoot().toPath().resolve("log")));
        s.close();
    }

    @Test
    public void shouldLetTheKernelKillTheProgramIfTheShellIsKilled() throws Exception {
        Supervisor s = start("sleep", "60");
        HostCheck.awaitAsleep(s.pid(), "sleep");
        int shell = (int) RemoteSystemCall.execute(s.pid(), "getppid", SYS_GETPPID, 0, 0);
        Linux.kill(shell, 9);
        assertTrue(s.awaitEnd(5000));
        s.kill();
        s.close();
    }

    @Test
    public void shouldExecuteSystemCallsInAProgramWithoutDisturbingIt() throws Exception {
        Supervisor s = start("sleep", "60");
        HostCheck.awaitAsleep(s.pid(), "sleep");
        for (int i = 0; i < 50; i++) {
            assertEquals(s.pid(), RemoteSystemCall.execute(s.pid(), "getpid", 39, 0, 0));
        }
        assertFalse(s.awaitEnd(0));
        SystemCallException e = assertThrows(SystemCallException.class, () -> RemoteSystemCall.execute(s.pid(), "close", 3, 999, 0));
        assertTrue(e.getMessage(), e.getMessage().contains("EBADF"));
        s.kill();
        s.close();
    }
}
