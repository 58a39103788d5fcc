package org.plover.metrics;

import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.VmEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The metrics of all VMs here and of the JVM. Every epoch is counted once, whatever the scrape interval: a thread of its own
 * fetches what is new once a second, and a VM remembers some thousand epochs. Thread-safe.
 */
@Component(service = VmMetrics.class, immediate = true)
public final class VmMetrics {
    static final long FETCH_MILLIS = 1000;
    private static final Logger LOG = LoggerFactory.getLogger(VmMetrics.class);

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final EpochMetrics counted = new EpochMetrics(registry);
    private final ExpositionFormats formats = ExpositionFormats.init();
    private final Map<ProtectedVm, Feed> feeds = new ConcurrentHashMap<>();
    private ScheduledExecutorService fetcher;

    /** How far a VM's records have been counted. */
    private static final class Feed {
        final ProtectedVm vm;
        final String member;
        long epoch;
        long event;
        boolean failing;

        Feed(ProtectedVm vm) {
            this.vm = vm;
            this.member = vm.status().member();
        }
    }

    /** For tests: nothing is fetched until {@link #fetch}. */
    public VmMetrics() {
        registry.register(new StatusCollector(() -> feeds.keySet()));
    }

    @Activate
    void activate() {
        JvmMetrics.builder().register(registry);
        fetcher = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "plover-metrics");
            thread.setDaemon(true);
            thread.setPriority(Thread.MIN_PRIORITY);
            return thread;
        });
        fetcher.scheduleWithFixedDelay(this::fetch, 0, FETCH_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Deactivate
    void deactivate() {
        fetcher.shutdownNow();
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addVm(ProtectedVm vm) {
        Feed feed = new Feed(vm);
        counted.begin(vm.name(), feed.member);
        feeds.put(vm, feed);
    }

    /** A VM that is started anew is another service; its counters go on if the new one is there first, else they begin at 0 again. */
    void removeVm(ProtectedVm vm) {
        Feed gone = feeds.remove(vm);
        if (gone != null && feeds.keySet().stream().noneMatch(other -> other.name().equals(vm.name()))) {
            counted.end(vm.name(), gone.member);
        }
    }

    /** Counts what has happened since the last time. */
    synchronized void fetch() {
        for (Feed feed : feeds.values()) {
            try {
                for (EpochRecord epoch : feed.vm.epochsSince(feed.epoch)) {
                    counted.observe(feed.vm.name(), feed.member, epoch);
                    feed.epoch = Math.max(feed.epoch, epoch.epoch());
                }
                for (VmEvent event : feed.vm.eventsSince(feed.event)) {
                    counted.observe(feed.vm.name(), feed.member, event);
                    feed.event = Math.max(feed.event, event.sequence());
                }
                feed.failing = false;
            } catch (RuntimeException e) {
                if (!feed.failing) {
                    LOG.warn("VM {}: its epochs and events cannot be counted at the moment", feed.vm.name(), e);
                }
                feed.failing = true;
            }
        }
    }

    /** How {@link #write} would answer that {@code Accept} header. */
    String contentType(String accept) {
        return writer(accept).getContentType();
    }

    /** Writes all metrics in the format that the {@code Accept} header asks for, or Prometheus' text format. */
    void write(String accept, OutputStream out) throws IOException {
        fetch();
        writer(accept).write(out, registry.scrape());
    }

    private ExpositionFormatWriter writer(String accept) {
        return formats.findWriter(accept);
    }

    List<String> vms() {
        return feeds.keySet().stream().map(ProtectedVm::name).sorted().toList();
    }
}
