package org.plover.policy.str;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.policy.Decision;
import org.plover.api.policy.EpochView;
import org.plover.api.policy.SyncPolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends epochs at a fixed interval while both guests run on the same inputs and only pages that differ are sent: the way of STR (Lu and
 * Chiueh, DSN 2009). It does not look whether the guests are idle, so their memory is less alike than under {@code idle}; in return
 * nobody waits longer than the interval and a sync.
 *
 * <p>It remembers nothing but its settings, so that one instance serves every virtual machine and a change of settings cannot lose
 * anything.
 */
@Component(service = SyncPolicy.class, configurationPid = StrConfig.PID, property = SyncPolicy.ID + "=" + StrPolicy.NAME)
@Designate(ocd = StrConfig.class)
public final class StrPolicy implements SyncPolicy {
    static final String NAME = "str";
    private static final Logger log = LoggerFactory.getLogger(StrPolicy.class);
    private static final long NANOS_PER_MILLI = 1_000_000;

    private volatile StrSettings settings = StrSettings.DEFAULTS;

    @Activate
    @Modified
    void configure(StrConfig config) {
        try {
            settings = StrSettings.of(config);
            log.info("Sync policy {}: {}", NAME, settings);
        } catch (IllegalArgumentException e) {
            log.error("{}: {}. Nothing of this configuration is applied, these stay: {}", StrConfig.PID, e.getMessage(), settings);
        }
    }

    @Override
    public String id() {
        return NAME;
    }

    @Override
    public int sampleIntervalMicros() {
        return settings.sampleIntervalMicros();
    }

    /** Of no matter here: nothing waits for a quiet guest. */
    @Override
    public boolean isQuiet(int busyPermille, int idleSamples) {
        return busyPermille == 0;
    }

    @Override
    public Decision decide(EpochView epoch) {
        return decide(settings, epoch);
    }

    static Decision decide(StrSettings settings, EpochView epoch) {
        if (epoch.ageNanos() >= settings.intervalMillis() * NANOS_PER_MILLI) {
            return Decision.END_INTERVAL_MAX;
        }
        return epoch.heldBytes() >= settings.heldBytesMax() ? Decision.END_OUTPUT : Decision.CONTINUE;
    }
}
