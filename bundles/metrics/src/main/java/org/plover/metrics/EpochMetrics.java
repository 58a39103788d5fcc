package org.plover.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.ArrayList;
import java.util.List;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.VmEvent;

/** What is counted one by one: epochs and events. Thread-safe. */
final class EpochMetrics {
    private static final double[] SECONDS = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};
    private static final double[] PAGES = {0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000};
    private static final double MICROS_PER_SECOND = 1e6;

    private final PrometheusRegistry registry;
    private final List<Histogram> histograms = new ArrayList<>();
    private final List<Counter> counters = new ArrayList<>();
    private final Histogram pause;
    private final Histogram interval;
    private final Histogram commit;
    private final Histogram apply;
    private final Histogram dirtyPages;
    private final Counter samePages;
    private final Counter diskBlocks;
    private final Counter sameBlocks;
    private final Counter transferredBytes;
    private final Counter releasedFrames;
    private final Counter verified;
    private final Counter differingPages;
    private final Counter failovers;
    private final Counter handovers;
    private final Counter events;

    EpochMetrics(PrometheusRegistry registry) {
        this.registry = registry;
        pause = histogram("plover_epoch_pause_seconds", "Time in which the primary's guest stood still at the end of an epoch", SECONDS);
        interval = histogram("plover_epoch_interval_seconds", "Time from one epoch's end to the next one's", SECONDS);
        commit = histogram("plover_epoch_commit_seconds", "Time from the guest's stop to the backup's acknowledgement, which lets output go",
                SECONDS);
        apply = histogram("plover_epoch_apply_seconds", "Time from then until the backup runs on from the epoch's state", SECONDS);
        dirtyPages = histogram("plover_epoch_dirty_pages", "Pages of 4096 bytes that either guest had written in an epoch", PAGES);
        samePages = counter("plover_epoch_same_pages_total", "Written pages that were equal on both replicas and were not sent");
        diskBlocks = counter("plover_epoch_disk_blocks_total", "Blocks of 4096 bytes that the primary's guest had written to its disks");
        sameBlocks = counter("plover_epoch_same_disk_blocks_total", "Of those, blocks that the backup's guest had written alike");
        transferredBytes = counter("plover_transferred_bytes_total", "State sent to the backup for epochs");
        releasedFrames = counter("plover_released_frames_total", "Frames that were held and went out when their epoch was committed");
        verified = counter("plover_epochs_verified_total", "Epochs at which all memory of both replicas was compared");
        differingPages = counter("plover_verified_pages_differing_total", "Pages that differed then; must stay 0");
        failovers = counter("plover_failovers_total", "Times that another replica began to lead because the one before was not heard");
        handovers = counter("plover_handovers_total", "Times that another replica began to lead because the one before gave it the guest");
        events = Counter.builder().name("plover_events_total").help("Events of a VM by their kind").labelNames("vm", "member", "kind")
                .withoutExemplars().register(registry);
    }

    private Histogram histogram(String name, String help, double... bounds) {
        Histogram made = Histogram.builder().name(name).help(help).labelNames("vm", "member").classicOnly().classicUpperBounds(bounds)
                .withoutExemplars().register(registry);
        histograms.add(made);
        return made;
    }

    private Counter counter(String name, String help) {
        Counter made = Counter.builder().name(name).help(help).labelNames("vm", "member").withoutExemplars().register(registry);
        counters.add(made);
        return made;
    }

    /** From now on there is something to see of a VM, even if it is 0: else its first failover would not be an increase. */
    void begin(String vm, String member) {
        histograms.forEach(h -> h.initLabelValues(vm, member));
        counters.forEach(c -> c.initLabelValues(vm, member));
    }

    void end(String vm, String member) {
        histograms.forEach(h -> h.remove(vm, member));
        counters.forEach(c -> c.remove(vm, member));
        events.removeIf(labels -> labels.get(0).equals(vm) && labels.get(1).equals(member));
    }

    void observe(String vm, String member, EpochRecord epoch) {
        pause.labelValues(vm, member).observe(epoch.pauseMicros() / MICROS_PER_SECOND);
        if (epoch.intervalMicros() > 0) { // else it is the first one
            interval.labelValues(vm, member).observe(epoch.intervalMicros() / MICROS_PER_SECOND);
        }
        commit.labelValues(vm, member).observe(epoch.commitMicros() / MICROS_PER_SECOND);
        apply.labelValues(vm, member).observe(epoch.applyMicros() / MICROS_PER_SECOND);
        dirtyPages.labelValues(vm, member).observe(epoch.dirtyPages());
        samePages.labelValues(vm, member).inc(epoch.samePages());
        diskBlocks.labelValues(vm, member).inc(epoch.diskBlocks());
        sameBlocks.labelValues(vm, member).inc(epoch.sameBlocks());
        transferredBytes.labelValues(vm, member).inc(epoch.transferredBytes());
        releasedFrames.labelValues(vm, member).inc(epoch.releasedFrames());
        if (epoch.verified() >= 0) {
            verified.labelValues(vm, member).inc();
            differingPages.labelValues(vm, member).inc(epoch.verified());
        }
    }

    void observe(String vm, String member, VmEvent event) {
        events.labelValues(vm, member, event.kind()).inc();
        if (event.kind().equals("failover")) {
            failovers.labelValues(vm, member).inc();
        } else if (event.kind().equals("handover")) {
            handovers.labelValues(vm, member).inc();
        }
    }
}
