package org.plover.gate.epoch;

import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.gate.FrameSink;
import org.plover.api.gate.OutputGate;
import org.plover.api.gate.OutputGateProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Creates gates and keeps their limits in step with the configuration. A gate outlives its provider. */
@Component(service = OutputGateProvider.class, configurationPid = EpochGateConfig.PID, property = OutputGateProvider.ID + "=epoch")
@Designate(ocd = EpochGateConfig.class)
public final class EpochGateProvider implements OutputGateProvider {
    private static final Logger log = LoggerFactory.getLogger(EpochGateProvider.class);

    /** Gates have no end of their own; one that nobody uses any more must not stay for our sake. */
    private final Set<EpochGate> gates = Collections.newSetFromMap(new WeakHashMap<>());
    private GateLimits limits = GateLimits.DEFAULTS;

    @Activate
    @Modified
    synchronized void configure(EpochGateConfig config) {
        GateLimits next;
        try {
            next = new GateLimits(config.bytesMax(), config.framesMax(), config.standbyBytesMax());
        } catch (IllegalArgumentException e) {
            log.error("{}: {}. Nothing of this configuration is applied, these stay: {}", EpochGateConfig.PID, e.getMessage(), limits);
            return;
        }
        limits = next;
        gates.forEach(gate -> gate.limits(next));
        log.info("Output gates: {}", next);
    }

    @Override
    public String id() {
        return "epoch";
    }

    @Override
    public synchronized OutputGate create(String vm, FrameSink sink) {
        EpochGate gate = new EpochGate(vm, sink, limits, System::nanoTime);
        gates.add(gate);
        return gate;
    }
}
