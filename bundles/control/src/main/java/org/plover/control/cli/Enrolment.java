package org.plover.control.cli;

import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import jakarta.json.spi.JsonProvider;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.plover.api.identity.Identity;

/**
 * The conversation by which a new host becomes known: it believes the key that its token names, and shows its own key and the
 * token's secret; it gets pins and configuration. TLS 1.3, one JSON line each way.
 */
final class Enrolment {
    static final String MEMBER = "member";
    static final String SECRET = "secret";
    static final String ERROR = "error";
    private static final JsonProvider JSON = JsonProvider.provider();
    private static final String TLS = "TLSv1.3";
    private static final int CALL_MILLIS_MAX = 5_000;
    private static final int REQUEST_BYTES_MAX = 4 << 10;
    private static final int ANSWER_BYTES_MAX = 1 << 20;
    /** Wrong secrets before an invitation is void. */
    private static final int WRONG_MAX = 5;

    private Enrolment() {
    }

    /** Accepts a key, or says why not. */
    private interface Judge {
        void look(String fingerprint) throws CertificateException;
    }

    private static SSLContext context(Path data, Judge judge) throws IOException {
        try {
            SSLContext context = SSLContext.getInstance(TLS);
            context.init(Identity.load(data).managers(), new TrustManager[] {new X509TrustManager() {
                @Override
                public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
                    judge.look(Identity.fingerprint(chain[0].getPublicKey()));
                }

                @Override
                public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
                    judge.look(Identity.fingerprint(chain[0].getPublicKey()));
                }

                @Override
                public X509Certificate[] getAcceptedIssuers() {
                    return new X509Certificate[0];
                }
            }}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS 1.3 cannot be had from this JVM: " + e.getMessage(), e);
        }
    }

    /** The inviting side, listening. */
    static final class Host implements AutoCloseable {
        private final SSLServerSocket server;

        Host(Path data, InetSocketAddress at) throws IOException {
            server = (SSLServerSocket) context(data, any -> { }).getServerSocketFactory().createServerSocket();
            try {
                server.setReuseAddress(true);
                server.setNeedClientAuth(true);
                server.setEnabledProtocols(new String[] {TLS});
                server.bind(at);
            } catch (IOException e) {
                server.close();
                throw new IOException("cannot listen at " + at + ": " + e.getMessage() + "; name another by --address", e);
            }
        }

        int port() {
            return server.getLocalPort();
        }

        /**
         * Waits for the new host; callers who are somebody else are told off and do not end it.
         *
         * @param enrol   gets member and fingerprint; what it returns is the answer
         * @param strange is told of calls that came to nothing
         * @return fingerprint of the new host, or null if it did not call in time
         */
        String await(Token token, Duration time, BiFunction<String, String, JsonObject> enrol, Consumer<String> strange) throws IOException {
            long end = System.nanoTime() + time.toNanos();
            int wrong = 0;
            while (wrong < WRONG_MAX) {
                long millis = Duration.ofNanos(end - System.nanoTime()).toMillis();
                if (millis <= 0) {
                    return null;
                }
                server.setSoTimeout((int) millis);
                try (SSLSocket caller = (SSLSocket) server.accept()) {
                    caller.setSoTimeout(CALL_MILLIS_MAX);
                    JsonObject request = read(caller.getInputStream(), REQUEST_BYTES_MAX);
                    String key = Identity.fingerprint(caller.getSession().getPeerCertificates()[0].getPublicKey());
                    if (!sameSecret(token.secret(), request.getString(SECRET, "")) || !token.member().equals(request.getString(MEMBER, ""))) {
                        wrong++;
                        strange.accept("a call from " + caller.getInetAddress().getHostAddress() + " without the token's secret was refused");
                        write(caller, JSON.createObjectBuilder().add(ERROR, "the token is not of this invitation; ask for a new one").build());
                        continue;
                    }
                    write(caller, enrol.apply(token.member(), key));
                    return key;
                } catch (SocketTimeoutException e) {
                    if (System.nanoTime() >= end) {
                        return null;
                    }
                } catch (IOException e) {
                    strange.accept("a call came to nothing: " + e.getMessage());
                }
            }
            throw new IOException("too many calls without the token's secret; the invitation is void");
        }

        @Override
        public void close() throws IOException {
            server.close();
        }
    }

    /** The new host's side: shows itself, and gets the answer. */
    static JsonObject ask(Path data, Token token) throws IOException {
        SSLContext context = context(data, shown -> {
            if (!shown.equals(token.fingerprint())) {
                throw new CertificateException("who answers there has the key " + shown + ", the token names " + token.fingerprint());
            }
        });
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket()) {
            socket.connect(new InetSocketAddress(token.host(), token.port()), CALL_MILLIS_MAX);
            socket.setSoTimeout(2 * CALL_MILLIS_MAX);
            socket.setEnabledProtocols(new String[] {TLS});
            write(socket, JSON.createObjectBuilder().add(MEMBER, token.member()).add(SECRET, token.secret()).build());
            return read(socket.getInputStream(), ANSWER_BYTES_MAX);
        }
    }

    private static boolean sameSecret(String mine, String theirs) {
        return MessageDigest.isEqual(mine.getBytes(StandardCharsets.UTF_8), theirs.getBytes(StandardCharsets.UTF_8));
    }

    private static void write(SSLSocket socket, JsonObject line) throws IOException {
        socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
    }

    private static JsonObject read(InputStream stream, int bytesMax) throws IOException {
        InputStream in = new BufferedInputStream(stream);
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = in.read(); octet != '\n'; octet = in.read()) {
            if (octet < 0 || line.size() == bytesMax) {
                throw new IOException(octet < 0 ? "the other side hung up" : "the other side sent more than " + bytesMax + " bytes");
            }
            line.write(octet);
        }
        try {
            return JSON.createReader(new StringReader(line.toString(StandardCharsets.UTF_8))).readObject();
        } catch (JsonException e) {
            throw new IOException("the other side does not speak as it should: " + e.getMessage(), e);
        }
    }
}
