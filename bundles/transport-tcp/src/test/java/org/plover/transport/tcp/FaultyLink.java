package org.plover.transport.tcp;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A TCP proxy that misbehaves on demand: stands at the address where a member is looked for and passes everything on to where the
 * member really listens. Thread-safe; every fault holds for all connections, open and new, until it is taken back.
 */
public final class FaultyLink implements AutoCloseable {
    private static final int PIECE_BYTES = 64 << 10;

    private final ServerSocket server;
    private final InetSocketAddress target;
    private final List<Socket> sockets = new ArrayList<>();
    private final Object lock = new Object();
    private boolean closed;
    private boolean stalled;
    private boolean refusing;
    private long delayMicros;
    private long bytesLeft = Long.MAX_VALUE;
    private int accepted;

    /** Listens at {@code at} and passes on to {@code target}. */
    public FaultyLink(InetSocketAddress at, InetSocketAddress target) throws IOException {
        this.target = target;
        this.server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(at);
        start(this::accept, "accept");
    }

    /** Breaks every connection at once, as a reset. New ones are let through. */
    public void cut() {
        synchronized (lock) {
            for (Socket socket : sockets) {
                reset(socket);
            }
            sockets.clear();
            lock.notifyAll();
        }
    }

    /** Whether new connections are hung up on. */
    public void refuse(boolean on) {
        synchronized (lock) {
            refusing = on;
        }
    }

    /** No byte passes, and nobody is told: a cable that was pulled. Bytes sent meanwhile pass when it ends. */
    public void stall(boolean on) {
        synchronized (lock) {
            stalled = on;
            lock.notifyAll();
        }
    }

    /** Every piece waits that long in each direction. */
    public void delay(long micros) {
        synchronized (lock) {
            delayMicros = micros;
        }
    }

    /** Lets so many more bytes pass, both directions together, then cuts: a message that ends in the middle. */
    public void truncateAfter(long bytes) {
        synchronized (lock) {
            bytesLeft = bytes;
        }
    }

    /** Connections accepted so far. */
    public int accepted() {
        synchronized (lock) {
            return accepted;
        }
    }

    @Override
    public void close() throws IOException {
        synchronized (lock) {
            closed = true;
        }
        server.close();
        cut();
    }

    private void accept() {
        while (true) {
            try {
                Socket caller = server.accept();
                synchronized (lock) {
                    accepted++;
                    if (refusing || closed) {
                        reset(caller);
                        continue;
                    }
                }
                connect(caller);
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void connect(Socket caller) throws IOException {
        Socket called = new Socket();
        try {
            called.connect(target);
        } catch (IOException e) {
            called.close();
            caller.close();
            return;
        }
        caller.setTcpNoDelay(true);
        called.setTcpNoDelay(true);
        synchronized (lock) {
            sockets.add(caller);
            sockets.add(called);
        }
        start(() -> pump(caller, called), "to");
        start(() -> pump(called, caller), "from");
    }

    private void pump(Socket from, Socket to) {
        byte[] piece = new byte[PIECE_BYTES];
        try (from; to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                long wait;
                int pass;
                awaitPassage();
                synchronized (lock) {
                    pass = (int) Math.min(count, bytesLeft);
                    if (bytesLeft != Long.MAX_VALUE) {
                        bytesLeft -= pass;
                    }
                    wait = delayMicros;
                }
                if (wait > 0) {
                    LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(wait));
                }
                out.write(piece, 0, pass);
                if (pass < count) {
                    truncateAfter(Long.MAX_VALUE);
                    return;
                }
            }
            awaitPassage(); // the end of the stream is news that a stalled link does not bring either
        } catch (IOException e) {
            awaitPassage();
            reset(to); // one side is gone: so is the other
        }
    }

    private void awaitPassage() {
        synchronized (lock) {
            while (stalled && !closed) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    throw new IllegalStateException("nobody interrupts the proxy's threads", e);
                }
            }
        }
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            if (!socket.isClosed()) {
                throw new IllegalStateException("a socket cannot be closed", e);
            }
        }
    }

    private static void start(Runnable work, String name) {
        Thread thread = new Thread(work, "faulty-link-" + name);
        thread.setDaemon(true);
        thread.start();
    }
}
