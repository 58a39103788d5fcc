package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.plover.api.disk.DiskFormat;
import org.plover.api.disk.DiskRecovery;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.DisksSpec;
import org.plover.api.disk.Standing;

/** Opens what a stopped appliance has left, as it would itself, and closes it again; a list of the images is kept for that. */
public final class OfflineDisks implements DiskRecovery {
    private static final String FILE = "images";

    /** Writes down which images belong to the journal. */
    static void remember(DisksSpec spec) throws IOException {
        List<String> lines = new ArrayList<>(List.of(spec.name()));
        for (DiskSpec disk : spec.disks()) {
            lines.add(disk.sectorBytes() + " " + (disk.readOnly() ? "ro" : "rw") + (disk.format() == DiskFormat.QCOW2 ? ",qcow2" : "") + " " + disk.image());
        }
        new LinuxFiles().replace(spec.stateDir().resolve(FILE), String.join("\n", lines).concat("\n").getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public boolean knows(Path stateDir) {
        return Files.isRegularFile(stateDir.resolve(FILE));
    }

    @Override
    public String recover(Path stateDir) throws IOException {
        DisksSpec spec = remembered(stateDir);
        String images = spec.disks().stream().map(disk -> disk.image().toString()).collect(Collectors.joining(", "));
        List<String> failures = new ArrayList<>();
        StoreDisks disks = new StoreDisks(spec, failures::add, new LinuxFiles(), () -> StoreSettings.DEFAULTS, closed -> { });
        Standing standing = disks.standing();
        long epoch = disks.epoch();
        disks.close();
        if (!failures.isEmpty()) {
            throw new IOException(failures.get(0));
        }
        return images + (standing == Standing.WHOLE ? ": up to date, as of epoch " + epoch
                : ": a copy of the other replica's that was never completed, of no use by itself");
    }

    private static DisksSpec remembered(Path stateDir) throws IOException {
        List<String> lines = Files.readAllLines(stateDir.resolve(FILE));
        List<DiskSpec> disks = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] parts = line.split(" ", 3);
            disks.add(new DiskSpec(Path.of(parts[2]), Integer.parseInt(parts[0]), parts[1].startsWith("ro"),
                    parts[1].endsWith(",qcow2") ? DiskFormat.QCOW2 : DiskFormat.RAW));
        }
        return new DisksSpec(lines.get(0), stateDir, stateDir, disks);
    }
}
