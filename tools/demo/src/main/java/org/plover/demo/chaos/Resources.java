package org.plover.demo.chaos;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObjectBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plover.demo.cluster.Host;
import org.plover.demo.cluster.Shell;

/** Memory of the appliances over time. */
final class Resources {
    private static final Pattern USED = Pattern.compile("used (\\d+)K");
    private static final Pattern KILOBYTES = Pattern.compile("(\\d+) kB");

    /** What a JVM holds of its own, without the guest's memory that it shares, and how much of that is used heap; MiB. */
    private record Sample(double atSeconds, long anonymousMiB, long heapMiB) { }

    private final Map<String, List<Sample>> samples = new LinkedHashMap<>();

    void take(double atSeconds, List<Host> hosts) throws InterruptedException {
        for (Host host : hosts) {
            if (!host.isUp()) {
                continue;
            }
            try {
                long anonymous = anonymousMiB(host.pid());
                samples.computeIfAbsent(host.name, n -> new ArrayList<>()).add(new Sample(atSeconds, anonymous, heapMiB(host.pid())));
            } catch (IOException e) {
                if (host.isUp()) {
                    System.err.println("chaos: memory of " + host.name + " could not be read: " + e.getMessage());
                }
            }
        }
    }

    private static long anonymousMiB(long pid) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            Matcher m = KILOBYTES.matcher(line);
            if (line.startsWith("RssAnon:") && m.find()) {
                return Long.parseLong(m.group(1)) >> 10;
            }
        }
        throw new IOException("no RssAnon for process " + pid);
    }

    private static long heapMiB(long pid) throws IOException, InterruptedException {
        String info = Shell.run(System.getProperty("java.home") + "/bin/jcmd", Long.toString(pid), "GC.heap_info");
        long used = 0;
        for (String line : info.split("\n")) {
            Matcher m = USED.matcher(line);
            // The generations; what follows is metaspace.
            if (line.contains("generation") && m.find()) {
                used += Long.parseLong(m.group(1));
            }
        }
        return used >> 10;
    }

    long anonymousMiBMax() {
        return samples.values().stream().flatMap(List::stream).mapToLong(Sample::anonymousMiB).max().orElse(0);
    }

    void addTo(JsonObjectBuilder json) {
        JsonObjectBuilder hosts = Json.createObjectBuilder();
        samples.forEach((name, list) -> {
            JsonArrayBuilder anonymous = Json.createArrayBuilder();
            JsonArrayBuilder heap = Json.createArrayBuilder();
            JsonArrayBuilder at = Json.createArrayBuilder();
            for (Sample s : list) {
                at.add(Math.round(s.atSeconds));
                anonymous.add(s.anonymousMiB);
                heap.add(s.heapMiB);
            }
            hosts.add(name, Json.createObjectBuilder().add("atSeconds", at).add("anonymousMiB", anonymous).add("heapMiB", heap));
        });
        json.add("memory", hosts);
        json.add("anonymousMiBMax", anonymousMiBMax());
    }
}
