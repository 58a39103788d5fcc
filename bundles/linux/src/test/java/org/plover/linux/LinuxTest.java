package org.plover.linux;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class LinuxTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void shouldNameTheErrorAndTheFile() {
        SystemCallException e = assertThrows(SystemCallException.class, () -> Linux.open("/does/not/exist", Linux.O_RDONLY));
        assertEquals(Errno.ENOENT, e.errno());
        assertEquals("open /does/not/exist: ENOENT (No such file or directory)", e.getMessage());
    }

    @Test
    public void shouldWriteThroughASharedMapping() throws Exception {
        File file = folder.newFile();
        int fd = Linux.open(file.getPath(), Linux.O_RDWR);
        Linux.ftruncate(fd, 8192);
        long address = Linux.mapShared(fd, 8192);
        Memory.putLong(address + 4096, 0x0102030405060708L);
        Linux.fsync(fd);
        Linux.munmap(address, 8192);
        Linux.close(fd);
        byte[] bytes = Files.readAllBytes(file.toPath());
        assertEquals(8192, bytes.length);
        assertEquals(8, bytes[4096]);
        assertEquals(1, bytes[4103]);
    }

    @Test
    public void shouldPunchHolesAndFindTheDataBetweenThem() throws Exception {
        File file = folder.newFile();
        int fd = Linux.open(file.getPath(), Linux.O_RDWR);
        Linux.allocate(fd, 0, 1 << 20);
        assertEquals(1 << 20, file.length());
        ByteBuffer ones = Memory.allocate(1 << 20);
        while (ones.hasRemaining()) {
            ones.put((byte) 1);
        }
        Linux.pwrite(fd, Memory.addressOf(ones), 1 << 20, 0);
        Linux.punchHole(fd, 0, 1 << 19);
        assertEquals(1 << 19, Linux.lseek(fd, 0, Linux.SEEK_DATA));
        assertEquals(1 << 20, Linux.lseek(fd, 1 << 19, Linux.SEEK_HOLE));
        assertEquals(1 << 20, Linux.lseek(fd, 0, Linux.SEEK_END));
        Linux.pread(fd, Memory.addressOf(ones), 1, 4096);
        assertEquals(0, ones.get(0));
        Linux.punchHole(fd, 0, 1 << 20);
        SystemCallException e = assertThrows(SystemCallException.class, () -> Linux.lseek(fd, 0, Linux.SEEK_DATA));
        assertEquals(Errno.ENXIO, e.errno());
        Linux.close(fd);
    }

    @Test
    public void shouldLockAFileAgainstEveryOtherOpenOfIt() throws Exception {
        String path = folder.newFile().getPath();
        int one = Linux.open(path, Linux.O_RDWR);
        int two = Linux.open(path, Linux.O_RDWR);
        assertTrue(Linux.lock(one, true));
        assertFalse(Linux.lock(two, true));
        assertFalse(Linux.lock(two, false));
        Linux.close(Linux.open(path, Linux.O_RDONLY));
        assertFalse("closing a third descriptor unlocks nothing", Linux.lock(two, true));
        Linux.close(one);
        assertTrue(Linux.lock(two, false));
        Linux.close(two);
    }

    @Test
    public void shouldMovePositionsByWhatWasTransferred() throws Exception {
        int fd = Linux.open(folder.newFile().getPath(), Linux.O_RDWR);
        ByteBuffer out = Memory.allocate(10);
        out.put(3, (byte) 42).position(2);
        assertEquals(8, Linux.write(fd, out));
        assertFalse(out.hasRemaining());
        ByteBuffer in = Memory.allocate(4);
        assertEquals(4, Linux.pread(fd, Memory.addressOf(in), 4, 0));
        assertEquals(42, in.get(1));
        assertEquals("at the end of the file", 0, Linux.read(fd, in));
        Linux.close(fd);
    }

    @Test
    public void shouldSayWouldBlockInsteadOfThrowing() throws Exception {
        int event = Linux.eventfd();
        ByteBuffer eight = Memory.allocate(8);
        assertEquals(Linux.WOULD_BLOCK, Linux.read(event, eight));
        Linux.signal(event);
        assertEquals(8, Linux.read(event, eight));
        assertEquals(1, eight.getLong(0));
        Linux.close(event);
    }

    @Test
    public void shouldWakeAWaiterWhenItsEventIsSignalled() throws Exception {
        int quiet = Linux.eventfd();
        int wake = Linux.eventfd();
        PollSet set = new PollSet(quiet, wake);
        assertFalse(set.await(0));
        Thread signaller = new Thread(() -> {
            try {
                Linux.signal(wake);
            } catch (SystemCallException e) {
                throw new IllegalStateException(e);
            }
        });
        signaller.start();
        assertTrue(set.await(-1));
        assertFalse(set.isReadable(0));
        assertTrue(set.isReadable(1));
        signaller.join();
        Linux.clear(wake);
        assertFalse(set.await(0));
        Linux.close(quiet);
        Linux.close(wake);
    }

    @Test
    public void shouldTalkOverAUnixSocketAndSeeUnreadBytes() throws Exception {
        String path = new File(folder.getRoot(), "s").getPath();
        int listening = Linux.listenUnix(path);
        try (SocketChannel peer = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            peer.connect(UnixDomainSocketAddress.of(path));
            int fd = Linux.accept(listening);
            ByteBuffer hello = Memory.allocate(5);
            hello.put("hello".getBytes(StandardCharsets.US_ASCII));
            assertEquals(5, Linux.send(fd, Memory.addressOf(hello), 5, Linux.MSG_DONTWAIT));
            ByteBuffer count = Memory.allocate(4);
            Linux.ioctl(fd, Linux.SIOCOUTQ, count);
            assertTrue(count.getInt(0) >= 5);
            ByteBuffer got = ByteBuffer.allocate(5);
            assertEquals(5, peer.read(got));
            Linux.ioctl(fd, Linux.SIOCOUTQ, count);
            assertEquals(0, count.getInt(0));
            Linux.shutdown(fd);
            assertEquals(-1, peer.read(ByteBuffer.allocate(1)));
            Linux.close(fd);
        }
        Linux.close(listening);
    }

    @Test
    public void shouldRefuseASocketPathThatTheKernelWouldCutOff() {
        assertThrows(IllegalArgumentException.class, () -> Linux.listenUnix("/tmp/" + "x".repeat(103)));
    }

    @Test
    public void shouldFindTheLoopbackInterface() {
        assertEquals(1, Linux.interfaceIndex("lo"));
        assertEquals(0, Linux.interfaceIndex("no-such-if"));
    }

    @Test
    public void shouldDuplicateADescriptorThroughAPidfd() throws Exception {
        int event = Linux.eventfd();
        int pidfd = Linux.pidfdOpen((int) ProcessHandle.current().pid());
        int copy = Linux.pidfdGetfd(pidfd, event);
        Linux.signal(copy);
        assertEquals(8, Linux.read(event, Memory.allocate(8)));
        Linux.close(copy);
        Linux.close(pidfd);
        Linux.close(event);
    }

    @Test
    public void shouldSeeAProcessEndThroughItsPidfd() throws Exception {
        Process process = new ProcessBuilder("cat").start();
        int pidfd = Linux.pidfdOpen((int) process.pid());
        PollSet set = new PollSet(pidfd);
        assertFalse(set.await(0));
        process.getOutputStream().close();
        assertTrue(set.await(-1));
        assertEquals(0, process.waitFor());
        Linux.close(pidfd);
    }

    @Test
    public void shouldReportErrorsOfIoctl() {
        SystemCallException e = assertThrows(SystemCallException.class, () -> Linux.ioctl(-1, Linux.FIONREAD, 0));
        assertEquals(Errno.EBADF, e.errno());
        assertTrue(e.getMessage(), e.getMessage().contains("EBADF"));
    }
}
