package org.plover.hasher.xxh3;

import java.io.IOException;
import java.util.List;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.plover.api.health.Finding;
import org.plover.api.health.PreflightCheck;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for libxxhash and, once it is there, enables {@link Xxh3HasherProvider}. A library installed later is found by
 * the next check, without a restart.
 */
@Component(immediate = true)
public final class LibXxHashCheck implements PreflightCheck {
    private static final Logger LOG = LoggerFactory.getLogger(LibXxHashCheck.class);
    private static final String SUBJECT = "libxxhash";

    private final Opener opener;
    private final Runnable enableProvider;

    /** Opens the library; returns its description. */
    interface Opener {
        String open() throws IOException;
    }

    @Activate
    public LibXxHashCheck(ComponentContext context) {
        this(() -> LibXxHash.open().toString(), () -> context.enableComponent(Xxh3HasherProvider.NAME));
    }

    LibXxHashCheck(Opener opener, Runnable enableProvider) {
        this.opener = opener;
        this.enableProvider = enableProvider;
        try {
            LOG.info("digests of pages by {}", opener.open());
            enableProvider.run();
        } catch (IOException e) {
            LOG.warn("no page hasher xxh3 on this host: {}; {}", e.getMessage(), Xxh3Library.REMEDY);
        }
    }

    @Override
    public List<Finding> check() {
        try {
            String description = opener.open();
            enableProvider.run();
            return List.of(Finding.ok(SUBJECT, "page hasher xxh3 uses " + description));
        } catch (IOException e) {
            return List.of(Finding.warning(SUBJECT, "no page hasher xxh3 on this host: " + e.getMessage(),
                    Xxh3Library.REMEDY + ", then run this check again; or choose the page hasher java"));
        }
    }
}
