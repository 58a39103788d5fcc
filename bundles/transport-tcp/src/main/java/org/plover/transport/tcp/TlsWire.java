package org.plover.transport.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import org.plover.api.identity.Identity;

/**
 * A socket under TLS 1.3 with the JDK's own engine. Both sides show a key. Each connection has a context of its own, so that no
 * session is ever resumed, which would spare the other side the proof of who it is.
 *
 * <p>The end of the stream counts without TLS's own farewell: frames have lengths, and a link that ends anywhere is a broken link.
 */
final class TlsWire implements Wire {
    private static final String PROTOCOL = "TLSv1.3";
    /** One suite: what is fastest on every processor with AES instructions, and no worse than any other. */
    private static final String CIPHER_SUITE = "TLS_AES_128_GCM_SHA256";
    /** Several records for each call of the kernel. On the heap, where the JDK's AES-GCM works in place and at its fastest. */
    private static final int RECORDS = 8;
    private static final ByteBuffer[] NOTHING = {ByteBuffer.allocate(0)};

    private final SocketChannel channel;
    private final PinnedTrust trust;
    private final String myKey;
    private final SSLEngine engine;
    private final Executor arithmetic;
    private final Runnable resume;
    private final int recordBytes;
    /** Ciphertext that has arrived; ready to be filled. */
    private final ByteBuffer in;
    /** Ciphertext that has to go; ready to be read. */
    private final ByteBuffer out;
    /** What did not fit where the reader wanted it; ready to be read. */
    private final ByteBuffer spare;
    private final ByteBuffer[] one = new ByteBuffer[1];
    private volatile int unsentBytes;
    private volatile boolean calculating;
    private boolean more;
    private boolean ended;

    /** @param resume called on any thread when {@link #handshake} has more to do */
    TlsWire(SocketChannel channel, PinnedTrust trust, Identity identity, boolean calling, Executor arithmetic, Runnable resume)
            throws GeneralSecurityException, IOException {
        this.channel = channel;
        this.trust = trust;
        this.myKey = identity.fingerprint();
        this.arithmetic = arithmetic;
        this.resume = resume;
        SSLContext context = SSLContext.getInstance(PROTOCOL);
        context.init(identity.managers(), new TrustManager[] {trust}, null);
        engine = context.createSSLEngine();
        engine.setUseClientMode(calling);
        if (!calling) {
            engine.setNeedClientAuth(true);
        }
        engine.setEnabledProtocols(new String[] {PROTOCOL});
        engine.setEnabledCipherSuites(new String[] {CIPHER_SUITE});
        engine.beginHandshake();
        recordBytes = engine.getSession().getPacketBufferSize();
        in = ByteBuffer.allocate(RECORDS * recordBytes);
        out = ByteBuffer.allocate(RECORDS * recordBytes).limit(0);
        spare = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()).limit(0);
    }

    @Override
    public String peerKey() {
        return trust.fingerprint();
    }

    // ------------------------------------------------------------------ before bytes pass

    @Override
    public Progress handshake() throws IOException {
        if (calculating) {
            return Progress.BUSY;
        }
        try {
            return negotiate();
        } catch (SSLException e) {
            sayGoodbye();
            throw new IOException(explain(e), e);
        }
    }

    private Progress negotiate() throws IOException {
        while (true) {
            if (!flush()) {
                return Progress.WRITABLE;
            }
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> {
                    calculate();
                    return Progress.BUSY;
                }
                case NEED_WRAP -> wrapHandshake();
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    if (!unwrapHandshake()) {
                        return Progress.READABLE;
                    }
                }
                default -> {
                    more = in.position() > 0;
                    return Progress.DONE;
                }
            }
        }
    }

    private void calculate() throws IOException {
        calculating = true;
        try {
            arithmetic.execute(() -> {
                for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                    task.run();
                }
                calculating = false;
                resume.run();
            });
        } catch (RejectedExecutionException e) {
            throw new IOException("this appliance is shutting down", e);
        }
    }

    private void wrapHandshake() throws IOException {
        SSLEngineResult result = engine.wrap(NOTHING, 0, 1, out.clear());
        out.flip();
        if (result.getStatus() == SSLEngineResult.Status.CLOSED && !out.hasRemaining()) {
            throw new IOException("the other side ended TLS before it was set up");
        }
    }

    /** False if more has to arrive first. */
    private boolean unwrapHandshake() throws IOException {
        SSLEngineResult result = engine.unwrap(in.flip(), spare.clear());
        in.compact();
        spare.flip();
        return switch (result.getStatus()) {
            case OK -> true;
            case BUFFER_UNDERFLOW -> fill();
            case CLOSED -> throw new IOException("the other side ended TLS before it was set up");
            case BUFFER_OVERFLOW -> throw new SSLException("a record larger than TLS allows");
        };
    }

    private boolean fill() throws IOException {
        int count = channel.read(in);
        if (count < 0) {
            throw new IOException("the other side hung up while TLS was set up");
        }
        return count > 0;
    }

    /** Lets the other side know why, if its socket takes a few more bytes. The reason for that is what matters, not a fault of this. */
    private void sayGoodbye() {
        try {
            out.clear();
            while (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP && out.remaining() >= recordBytes
                    && engine.wrap(NOTHING, 0, 1, out).bytesProduced() > 0) {
                continue;
            }
            channel.write(out.flip());
        } catch (IOException e) {
            ended = true;
        }
    }

    private String explain(SSLException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException) {
                return cause.getMessage();
            }
        }
        String text = LaneLink.describe(e);
        if (text.contains("certificate_unknown") || text.contains("bad_certificate") || text.contains("unknown_ca")) {
            return "the other side does not accept this member's key " + myKey + "; add it to pins in " + Peers.PID + " there";
        }
        if (text.contains("certificate_required") || text.contains("Empty client certificate chain")) {
            return "it showed no key; every member has to (security=tls)";
        }
        if (text.contains("plaintext connection") || text.contains("Unsupported or unrecognized SSL message")) {
            return "the other side does not speak TLS and this one does; configure both alike (security in " + Peers.PID + ")";
        }
        return "TLS 1.3 could not be agreed on: " + text;
    }

    // ------------------------------------------------------------------ bytes

    @Override
    public int read(ByteBuffer into) throws IOException {
        int start = into.position();
        if (more) {
            decrypt(into);
        }
        if (into.position() == start && !ended && into.hasRemaining()) {
            int count = channel.read(in);
            ended |= count < 0;
            if (count > 0) {
                decrypt(into);
            }
        }
        int count = into.position() - start;
        return count == 0 && ended ? -1 : count;
    }

    /** As much as there is and fits. */
    private void decrypt(ByteBuffer into) throws IOException {
        handSpare(into);
        in.flip();
        try {
            while (true) {
                if (!into.hasRemaining() || spare.hasRemaining()) {
                    more = in.hasRemaining() || spare.hasRemaining();
                    return;
                }
                SSLEngineResult result = engine.unwrap(in, into);
                if (result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW) {
                    result = engine.unwrap(in, spare.clear());
                    spare.flip();
                    handSpare(into);
                }
                switch (result.getStatus()) {
                    case OK -> {
                        if (result.bytesConsumed() == 0) {
                            throw new IOException("TLS does not go on: " + result);
                        }
                    }
                    case BUFFER_UNDERFLOW -> {
                        more = false;
                        return;
                    }
                    case CLOSED -> {
                        more = false;
                        ended = true;
                        return;
                    }
                    default -> throw new SSLException("a record larger than TLS allows");
                }
            }
        } catch (SSLException e) {
            // The called side looks at the caller's key last, when this side may have begun to speak: its refusal is here, then.
            throw new IOException(explain(e), e);
        } finally {
            in.compact();
        }
    }

    private void handSpare(ByteBuffer into) {
        int count = Math.min(spare.remaining(), into.remaining());
        into.put(into.position(), spare, spare.position(), count);
        into.position(into.position() + count);
        spare.position(spare.position() + count);
    }

    @Override
    public boolean hasMore() {
        return more;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        one[0] = from;
        try {
            return (int) write(one, 1);
        } finally {
            one[0] = null;
        }
    }

    @Override
    public long write(ByteBuffer[] from, int count) throws IOException {
        long taken = 0;
        while (flush() && hasRemaining(from, count)) {
            out.clear();
            while (out.remaining() >= recordBytes && hasRemaining(from, count)) {
                SSLEngineResult result = engine.wrap(from, 0, count, out);
                taken += result.bytesConsumed();
                if (result.getStatus() != SSLEngineResult.Status.OK || result.bytesConsumed() + result.bytesProduced() == 0) {
                    out.flip();
                    throw new IOException("TLS does not go on: " + result);
                }
            }
            out.flip();
        }
        return taken;
    }

    private static boolean hasRemaining(ByteBuffer[] from, int count) {
        for (int i = 0; i < count; i++) {
            if (from[i].hasRemaining()) {
                return true;
            }
        }
        return false;
    }

    /** Whether nothing is left to be sent. */
    private boolean flush() throws IOException {
        if (out.hasRemaining()) {
            channel.write(out);
        }
        int left = out.remaining();
        if (left != unsentBytes) {
            unsentBytes = left;
        }
        return left == 0;
    }

    @Override
    public int unsentBytes() {
        return unsentBytes;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
