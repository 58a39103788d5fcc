package org.plover.transport.tcp;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.plover.api.identity.Identity;

/**
 * Believes in pinned keys and in nothing else: the certificate is only the key's wrapping, so its names, issuer and dates do not
 * matter. That the other side holds the key is for TLS to find out.
 */
final class PinnedTrust extends X509ExtendedTrustManager {
    private static final X509Certificate[] NO_ISSUERS = {};

    private final Pins pins;
    private final List<String> expected;
    private volatile String fingerprint;

    /** @param expected names of the members that the other side may be */
    PinnedTrust(Pins pins, List<String> expected) {
        this.pins = pins;
        this.expected = expected;
    }

    /** Of the key that was shown and accepted; null before. */
    String fingerprint() {
        return fingerprint;
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        String shown = Identity.fingerprint(chain[0].getPublicKey());
        if (!pins.allowsAny(expected, shown)) {
            boolean one = expected.size() == 1;
            String other = pins.owner(shown);
            if (one && other != null) {
                throw new CertificateException("the address of member '" + expected.get(0) + "' leads to another member, '" + other
                        + "' by its key; check the addresses, their forwarding and listenHost, or the pins in " + Peers.PID);
            }
            throw new CertificateException("its key " + shown + " is not pinned for "
                    + (one ? "member '" + expected.get(0) + "'" : "any of the members " + String.join(", ", expected))
                    + "; if it is that host's ('plover identity' there), add it to pins in " + Peers.PID);
        }
        fingerprint = shown;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return NO_ISSUERS;
    }
}
