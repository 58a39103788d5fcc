package org.plover.demo.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.plover.demo.cluster.Cluster;
import org.plover.demo.cluster.Host;
import org.plover.demo.cluster.Lab;
import org.plover.demo.cluster.Shell;

/**
 * Captures on the switch what each host sends to the clients' network in the guest's name. Each port has a capture of its own,
 * of incoming frames only, so where a frame came from is certain; the kernel stamps them all with one clock.
 */
final class WireWatch implements AutoCloseable {
    private static final Pattern LEADS = Pattern.compile("^(\\S+ \\S+) .* -> NORMAL_LEADER, view (\\d+)");
    private static final DateTimeFormatter LOG_TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS");
    private static final int MAC_BYTES = 6;

    private final Cluster cluster;
    private final Judge judge;
    private final List<Process> captures = new ArrayList<>();
    private final List<Reigns.Sender> senders = new ArrayList<>();
    private final Reigns reigns = new Reigns();
    private final Map<String, Long> logOffsets = new HashMap<>();
    private final List<Reigns.Leadership> leaderships = new ArrayList<>();
    private volatile boolean closing;
    private long frames;

    WireWatch(Cluster cluster, Judge judge) throws IOException {
        this.cluster = cluster;
        this.judge = judge;
        for (Host host : cluster.hosts()) {
            capture(host);
        }
    }

    private void capture(Host host) throws IOException {
        List<String> command = cluster.lab().on(Lab.SWITCH);
        command.addAll(List.of("tcpdump", "-i", "lan" + host.number, "-Q", "in", "-n", "-s", "64", "-U", "--immediate-mode",
                "--time-stamp-precision=micro", "-w", "-", "ether", "src", Cluster.MAC));
        Process process = new ProcessBuilder(command).redirectError(cluster.work().resolve("tcpdump-" + host.name + ".log").toFile()).start();
        process.getOutputStream().close();
        captures.add(process);
        Thread reader = new Thread(() -> read(host, process), "capture-" + host.name);
        reader.setDaemon(true);
        reader.start();
    }

    private void read(Host host, Process process) {
        try {
            Pcap pcap = new Pcap(process.getInputStream());
            for (Pcap.Frame frame = pcap.next(); frame != null; frame = pcap.next()) {
                if (frame.bytes().length < 2 * MAC_BYTES) {
                    throw new IOException("a frame that is too short for Ethernet");
                }
                synchronized (this) {
                    senders.add(new Reigns.Sender(host.name, frame.epochMicros()));
                    frames++;
                }
            }
        } catch (IOException e) {
            if (!closing) {
                judge.anomaly("the capture at host " + host.name + " ended: " + e.getMessage());
            }
            return;
        }
        if (!closing) {
            judge.anomaly("the capture at host " + host.name + " ended; see tcpdump-" + host.name + ".log");
        }
    }

    /** Judges all frames that are at least a second old, so that no log is behind; the sightings that are new. */
    synchronized List<Reigns.Sighting> sightings() throws IOException {
        readLogs();
        long until = (System.currentTimeMillis() - 1000) * 1000;
        List<Reigns.Sender> due = new ArrayList<>(senders.stream().filter(s -> s.epochMicros() <= until).toList());
        senders.removeIf(s -> s.epochMicros() <= until);
        due.sort(Comparator.comparingLong(Reigns.Sender::epochMicros));
        return reigns.judge(due, leaderships);
    }

    private void readLogs() throws IOException {
        for (Host host : cluster.hosts()) {
            Path log = host.log();
            if (!Files.exists(log)) {
                continue;
            }
            long skip = logOffsets.getOrDefault(host.name, 0L);
            try (Stream<String> lines = Files.lines(log, java.nio.charset.StandardCharsets.ISO_8859_1)) {
                long count = skip;
                for (String line : (Iterable<String>) lines.skip(skip)::iterator) {
                    count++;
                    Matcher m = LEADS.matcher(line);
                    if (m.find()) {
                        leaderships.add(new Reigns.Leadership(host.name, Long.parseLong(m.group(2)), micros(m.group(1))));
                    }
                }
                // The last line may not be complete yet; it is read again.
                logOffsets.put(host.name, Math.max(0, count - 1));
            }
        }
    }

    private static long micros(String time) {
        return LocalDateTime.parse(time, LOG_TIME).atZone(ZoneId.systemDefault()).toInstant().toEpochMilli() * 1000;
    }

    /** The members have lost their storage, and count views from one again. */
    synchronized void forget() throws IOException {
        readLogs();
        senders.clear();
        leaderships.clear();
        reigns.forget();
    }

    synchronized long frames() {
        return frames;
    }

    @Override
    public void close() throws InterruptedException {
        closing = true;
        for (Process capture : captures) {
            Shell.end(capture, 2);
        }
        for (Process capture : captures) {
            capture.waitFor(1, TimeUnit.SECONDS);
        }
    }
}
