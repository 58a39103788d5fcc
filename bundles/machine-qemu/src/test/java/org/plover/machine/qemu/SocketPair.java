package org.plover.machine.qemu;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.plover.linux.Linux;

/** Two ends of a connection: the one QEMU would hold, and the descriptor that our code gets. */
final class SocketPair implements AutoCloseable {
    final SocketChannel qemu;
    final int fd;

    SocketPair(Path path) throws Exception {
        int listening = Linux.listenUnix(path.toString());
        qemu = SocketChannel.open(StandardProtocolFamily.UNIX);
        qemu.connect(UnixDomainSocketAddress.of(path));
        fd = Linux.accept(listening);
        Linux.close(listening);
    }

    void write(byte[] bytes) throws Exception {
        ByteBuffer b = ByteBuffer.wrap(bytes);
        while (b.hasRemaining()) {
            qemu.write(b);
        }
    }

    ByteBuffer read(int bytes) throws Exception {
        ByteBuffer b = ByteBuffer.allocate(bytes);
        while (b.hasRemaining() && qemu.read(b) >= 0) {
            continue;
        }
        return b.flip();
    }

    String readLine() throws Exception {
        StringBuilder line = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (qemu.read(one.clear()) == 1 && one.get(0) != '\n') {
            line.append((char) one.get(0));
        }
        return line.toString();
    }

    @Override
    public void close() throws Exception {
        qemu.close();
    }
}
