package org.plover.control;

import java.util.ArrayList;
import java.util.List;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.plover.api.health.Finding;
import org.plover.api.health.PreflightCheck;

/** Looks for parts of the appliance that should run and do not. */
@Component
public final class BundleCheck implements PreflightCheck {
    private static final String SUBJECT = "bundles";

    private final BundleContext context;

    @Activate
    public BundleCheck(BundleContext context) {
        this.context = context;
    }

    @Override
    public List<Finding> check() {
        int level = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).adapt(FrameworkStartLevel.class).getStartLevel();
        List<String> idle = new ArrayList<>();
        int running = 0;
        for (Bundle bundle : context.getBundles()) {
            if (runs(bundle)) {
                running++;
            } else if (shouldRun(bundle, level)) {
                idle.add(bundle.getSymbolicName() + " " + bundle.getVersion());
            }
        }
        if (idle.isEmpty()) {
            return List.of(Finding.ok(SUBJECT, running + " are running"));
        }
        return List.of(Finding.error(SUBJECT, "not running: " + String.join(", ", idle),
                "the appliance's log says what each of them lacks; a bundle put in by hand may need another one beside it"));
    }

    private static boolean runs(Bundle bundle) {
        return bundle.getState() == Bundle.ACTIVE || bundle.getState() == Bundle.STARTING;
    }

    /** Fragments never start, and what lies above the level that the framework was told to reach is not meant to. */
    private static boolean shouldRun(Bundle bundle, int level) {
        return bundle.getHeaders("").get(Constants.FRAGMENT_HOST) == null
                && bundle.adapt(BundleStartLevel.class).getStartLevel() <= level;
    }
}
