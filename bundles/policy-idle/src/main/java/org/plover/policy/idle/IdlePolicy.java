package org.plover.policy.idle;

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
 * Ends an epoch when both guests are idle: then both have executed everything they were given, and their memory is as alike as it gets
 * (PLOVER, NSDI'18). Bounded below, so that syncs do not eat the guest's time, and above, so that clients do not wait
 * for a guest that never is idle.
 *
 * <p>It remembers nothing but its settings, so that one instance serves every virtual machine and a change of settings cannot lose
 * anything.
 */
@Component(service = SyncPolicy.class, configurationPid = IdleConfig.PID, property = SyncPolicy.ID + "=idle")
@Designate(ocd = IdleConfig.class)
public final class IdlePolicy implements SyncPolicy {
    private static final Logger log = LoggerFactory.getLogger(IdlePolicy.class);
    private static final long NANOS_PER_MILLI = 1_000_000;

    private volatile IdleSettings settings = IdleSettings.DEFAULTS;

    @Activate
    @Modified
    void configure(IdleConfig config) {
        try {
            settings = IdleSettings.of(config);
            log.info("Sync policy idle: {}", settings);
        } catch (IllegalArgumentException e) {
            log.error("{}: {}. Nothing of this configuration is applied, these stay: {}", IdleConfig.PID, e.getMessage(), settings);
        }
    }

    @Override
    public String id() {
        return "idle";
    }

    @Override
    public int sampleIntervalMicros() {
        return settings.sampleIntervalMicros();
    }

    @Override
    public boolean isQuiet(int busyPermille, int idleSamples) {
        return busyPermille <= settings.busyPermilleMax();
    }

    @Override
    public Decision decide(EpochView epoch) {
        return decide(settings, epoch);
    }

    static Decision decide(IdleSettings settings, EpochView epoch) {
        boolean outputHeld = epoch.heldFrames() > 0;
        if (epoch.ageNanos() < settings.intervalMillisMin() * NANOS_PER_MILLI) {
            return Decision.CONTINUE;
        }
        if (epoch.heldBytes() >= settings.heldBytesMax()) {
            return Decision.END_OUTPUT;
        }
        // By the age of the output, not of the epoch: else a request that comes after a long silence would end the epoch at once,
        // and its response would have to wait for a second sync.
        if (outputHeld && epoch.heldNanos() >= settings.intervalMillisMax() * NANOS_PER_MILLI) {
            return Decision.END_INTERVAL_MAX;
        }
        if (epoch.ageNanos() >= settings.idleIntervalMillisMax() * NANOS_PER_MILLI) {
            return Decision.END_INTERVAL_MAX;
        }
        // Input alone is no reason: a guest takes longer to notice a frame than a sample lasts, and nobody waits before it answers.
        if (outputHeld && isIdle(settings, epoch)) {
            return Decision.END_IDLE;
        }
        return Decision.CONTINUE;
    }

    private static boolean isIdle(IdleSettings settings, EpochView epoch) {
        int samplesWaited = epoch.idleSamples() - settings.idleSamples();
        if (samplesWaited < 0) {
            return false;
        }
        return epoch.peerIdle() || (long) samplesWaited * settings.sampleIntervalMicros() >= settings.peerIdleWaitMillis() * 1_000L;
    }
}
