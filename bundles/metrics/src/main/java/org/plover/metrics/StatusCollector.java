package org.plover.metrics;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.plover.api.status.LatencyCounts;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.Role;
import org.plover.api.status.VmStatus;

/** What is true at the moment of the scrape, from each VM's status, and what the VMs count themselves. Thread-safe. */
final class StatusCollector implements MultiCollector {
    private static final double MICROS_PER_SECOND = 1e6;

    private final Supplier<Collection<ProtectedVm>> vms;

    StatusCollector(Supplier<Collection<ProtectedVm>> vms) {
        this.vms = vms;
    }

    @Override
    public MetricSnapshots collect() {
        Gauges gauges = new Gauges();
        HistogramSnapshot.Builder consensus = HistogramSnapshot.builder().name("plover_input_consensus_seconds")
                .help("Time from an input's arrival at the primary to its agreement");
        for (ProtectedVm vm : vms.get()) {
            VmStatus status = vm.status();
            add(gauges, status);
            consensus.dataPoint(consensus(vm.inputConsensus(), labels(status)));
        }
        List<io.prometheus.metrics.model.snapshots.MetricSnapshot> all = new ArrayList<>(gauges.build());
        all.add(consensus.build());
        return new MetricSnapshots(all);
    }

    private static Labels labels(VmStatus status) {
        return Labels.of("vm", status.vm(), "member", status.member());
    }

    private static void add(Gauges gauges, VmStatus s) {
        Labels labels = labels(s);
        gauges.add("plover_protected", "1 if the death of any one host would be survived, else 0", labels, s.protectedNow());
        for (Role role : Role.values()) {
            gauges.add("plover_role", "1 for the role that this member has, 0 for the others",
                    labels.add("role", role.name().toLowerCase(Locale.ROOT)), s.role() == role);
        }
        gauges.add("plover_in_sync", "1 if the agreed in-sync set names this member, else 0", labels,
                s.members().stream().anyMatch(m -> m.self() && m.inSync()));
        gauges.add("plover_slowed", "1 if clients have to wait longer than the policy wants, else 0", labels, !s.slowed().isEmpty());
        gauges.add("plover_view", "Number of the view; it grows by a failover", labels, s.view());
        gauges.add("plover_epoch", "Number of the last epoch that was committed or applied here", labels, s.epoch());
        gauges.add("plover_held_frames", "Frames at the output gate", labels, s.heldFrames());
        gauges.add("plover_held_bytes", "Bytes at the output gate", labels, s.heldBytes());
        gauges.add("plover_oldest_held_seconds", "How long the oldest frame at the gate has waited", labels, s.oldestHeldMillis() / 1000.0);
        gauges.add("plover_input_backlog_bytes", "Agreed input that the guest here has not taken up", labels, s.inputBacklogBytes());
        gauges.add("plover_log_entries", "Entries in the input log", labels, s.logEntries());
        if (s.quorumMillis() >= 0) {
            gauges.add("plover_quorum_age_seconds", "On a primary: how long ago a majority is known to have been in its view", labels,
                    s.quorumMillis() / 1000.0);
        }
        if (s.synchronisationPercent() >= 0) {
            gauges.add("plover_synchronisation_ratio", "Progress of bringing in a fresh backup, while one is", labels,
                    s.synchronisationPercent() / 100.0);
        }
        gauges.add("plover_info", "Always 1; the providers in use", labels.merge(Labels.of("hasher", s.hasher(), "policy", s.policy(),
                "transport", s.transport())), 1);
        for (MemberStatus m : s.members()) {
            addMember(gauges, labels.add("peer", m.name()), m);
        }
    }

    private static void addMember(Gauges gauges, Labels labels, MemberStatus m) {
        gauges.add("plover_member_in_sync", "1 if the agreed in-sync set names the peer, else 0", labels, m.inSync());
        gauges.add("plover_member_votes", "1 if the peer's vote counts, else 0", labels, m.votes());
        if (m.self()) {
            return;
        }
        gauges.add("plover_member_connected", "1 if messages can be exchanged with the peer, else 0", labels, m.connected());
        if (m.heardMillis() >= 0) {
            gauges.add("plover_member_silence_seconds", "How long the peer has not been heard of; 0 while it is connected", labels,
                    m.heardMillis() / 1000.0);
        }
        if (m.roundTripMicros() >= 0) {
            gauges.add("plover_member_round_trip_seconds", "Last measured round trip to the peer", labels,
                    m.roundTripMicros() / MICROS_PER_SECOND);
        }
    }

    private static HistogramDataPointSnapshot consensus(LatencyCounts counts, Labels labels) {
        List<Double> bounds = new ArrayList<>();
        counts.boundsMicros().forEach(micros -> bounds.add(micros / MICROS_PER_SECOND));
        bounds.add(Double.POSITIVE_INFINITY);
        HistogramDataPointSnapshot.Builder point = HistogramDataPointSnapshot.builder();
        point.classicHistogramBuckets(ClassicHistogramBuckets.of(bounds, counts.counts())).labels(labels);
        point.sum(counts.sumNanos() / 1e9);
        return point.build();
    }

    /** One metric has the points of all VMs. */
    private static final class Gauges {
        private final Map<String, GaugeSnapshot.Builder> builders = new LinkedHashMap<>();

        void add(String name, String help, Labels labels, boolean value) {
            add(name, help, labels, value ? 1 : 0);
        }

        void add(String name, String help, Labels labels, double value) {
            builders.computeIfAbsent(name, n -> GaugeSnapshot.builder().name(n).help(help))
                    .dataPoint(GaugeDataPointSnapshot.builder().labels(labels).value(value).build());
        }

        List<GaugeSnapshot> build() {
            return builders.values().stream().map(GaugeSnapshot.Builder::build).toList();
        }
    }
}
