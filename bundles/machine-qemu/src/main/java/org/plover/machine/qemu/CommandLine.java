package org.plover.machine.qemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.plover.api.disk.DiskAttachment;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.NicSpec;
import org.plover.machine.qemu.Settings.MachineType;

/** The arguments QEMU is started with; the same on both replicas but for paths, or a state would not load. */
final class CommandLine {
    /** Name of the block node that holds the state to load. */
    static final String SLOT_NODE = "plover-state";

    private CommandLine() {
    }

    /** Name of the filter object that drops an interface's frames for the guest while its {@code status} is {@code on}. */
    static String dropper(int nic) {
        return "drop" + nic;
    }

    static List<String> build(Settings settings, MachineSpec spec, String accelerator, Files files) {
        List<String> a = new ArrayList<>();
        boolean tcg = accelerator.equals("tcg");
        MachineType type = settings.machineType();
        add(a, "-name", "guest=" + escape(spec.name()) + ",debug-threads=on");
        add(a, "-nodefaults", "-no-user-config", "-display", "none", "-S");
        // System calls that QEMU as we use it never makes: a guest that breaks out of its devices finds no other program to start.
        add(a, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
        add(a, "-accel", tcg ? "tcg,thread=multi" : "kvm");
        add(a, "-cpu", !settings.cpuModel().isEmpty() ? settings.cpuModel() : tcg ? "max" : "host");
        add(a, "-smp", Integer.toString(spec.vcpus()));
        add(a, "-m", spec.memoryMiB() + "M");
        add(a, "-object", "memory-backend-file,id=ram0,share=on,size=" + spec.memoryMiB() + "M,mem-path=" + escape(files.ram()));
        add(a, "-machine", machine(type) + ",memory-backend=ram0,dump-guest-core=off");
        // Both would add to the state what we never use.
        add(a, "-global", "migration.send-configuration=off", "-global", "migration.store-global-state=off");
        // The guest's clock must follow its virtual time, which the state carries, not the host it happens to be on.
        add(a, "-rtc", "clock=vm,base=utc");
        add(a, "-chardev", "socket,id=qmp,path=" + escape(files.qmpSocket()), "-mon", "chardev=qmp,mode=control");
        add(a, "-chardev", "file,id=console,path=" + escape(files.console()), "-serial", "chardev:console");
        add(a, "-blockdev", "driver=qcow2,node-name=" + SLOT_NODE + ",file.driver=file,file.locking=off,file.filename="
                + escape(files.slot()));
        for (int i = 0; i < spec.nics().size(); i++) {
            add(a, "-netdev", "stream,id=net" + i + ",server=off,addr.type=unix,addr.path=" + escape(files.nicSocket(i)));
            add(a, "-device", nic(settings, spec.nics().get(i), i));
            // Switched on, it takes what the socket still holds for the guest to nowhere.
            add(a, "-chardev", "null,id=" + dropper(i), "-object", "filter-redirector,id=" + dropper(i) + ",netdev=net" + i
                    + ",queue=tx,outdev=" + dropper(i) + ",status=off");
        }
        for (int i = 0; i < spec.disks().size(); i++) {
            add(a, "-blockdev", blockNode(settings, spec.disks().get(i), i));
            add(a, "-device", disk(settings, spec.disks().get(i), i));
        }
        add(a, "-kernel", spec.kernel().toString());
        if (spec.initrd() != null) {
            add(a, "-initrd", spec.initrd().toString());
        }
        add(a, "-append", kernelArguments(type, tcg, spec.kernelArguments()));
        a.addAll(settings.extraArguments());
        return a;
    }

    private static String machine(MachineType type) {
        // Devices that no guest of ours uses only make the state longer to save and to load.
        return switch (type) {
            case Q35 -> "q35,suppress-vmdesc=on,sata=off,smbus=off,smm=off,vmport=off,i8042=off";
            case PC -> "pc,suppress-vmdesc=on,smm=off,vmport=off,i8042=off";
            case MICROVM -> "microvm,suppress-vmdesc=on,acpi=on";
        };
    }

    private static String nic(Settings settings, NicSpec nic, int i) {
        String s = virtio(settings, "net") + (settings.machineType() == MachineType.MICROVM ? "" : ",romfile=") + ",id=nic" + i
                + ",netdev=net" + i + ",mac=" + nic.mac();
        return nic.mtu() == 1500 ? s : s + ",host_mtu=" + nic.mtu();
    }

    private static String virtio(Settings settings, String kind) {
        if (settings.machineType() == MachineType.MICROVM) {
            return "virtio-" + kind + "-device";
        }
        // A modern virtio-pci device saves 1,024 queue descriptions whatever it uses: 42 KB and 1 ms for each.
        return "virtio-" + kind + "-pci" + (settings.legacyVirtio() ? ",disable-modern=on,disable-legacy=off" : "");
    }

    /** The export is raw content as it is: no format driver that could take what the guest writes for a header. */
    private static String blockNode(Settings settings, DiskAttachment disk, int i) {
        return "driver=nbd,node-name=disk" + i + ",server.type=unix,server.path=" + escape(disk.socket().toAbsolutePath())
                + ",export=" + escape(disk.export()) + ",reconnect-delay=" + settings.diskReconnectSeconds()
                + (disk.readOnly() ? ",read-only=on" : "");
    }

    private static String disk(Settings settings, DiskAttachment disk, int i) {
        // An error goes to the guest, which knows what to do about it: a stopped machine would only look like a dead one. Discards
        // are not offered, since the export would not see them.
        return virtio(settings, "blk") + ",id=blk" + i + ",drive=disk" + i + ",serial=plover-" + i + ",logical_block_size="
                + disk.sectorBytes() + ",physical_block_size=" + disk.sectorBytes()
                + ",num-queues=1,discard=off,werror=report,rerror=report";
    }

    /**
     * Under emulation the TSC is the host's own and only ever goes forward within one process, so the guest must not take
     * its time from it.
     */
    static String kernelArguments(MachineType type, boolean tcg, String operators) {
        if (!tcg || operators.contains("clocksource=") || operators.contains("tsc_early_khz=")) {
            return operators;
        }
        String ours = type == MachineType.MICROVM ? "tsc_early_khz=1000000" : "clocksource=hpet tsc=unstable";
        return operators.isEmpty() ? ours : operators + " " + ours;
    }

    /** In QEMU's option lists a comma within a value is written twice. */
    static String escape(Object value) {
        return value.toString().replace(",", ",,");
    }

    private static void add(List<String> to, String... arguments) {
        to.addAll(List.of(arguments));
    }

    /** Where a machine keeps its files: sockets and logs in the runtime directory, what must be quick in the RAM directory. */
    record Files(Path runtimeDirectory, Path scratch) {
        /** A scratch directory of this VM's own; two members on one host have different runtime directories. */
        static Files of(MachineSpec spec, Path ramDirectory) {
            Path runtime = spec.runtimeDir().toAbsolutePath().normalize();
            String name = spec.name().replaceAll("[^A-Za-z0-9._-]", "_") + "-" + Integer.toHexString(runtime.toString().hashCode());
            return new Files(runtime, ramDirectory.resolve("plover-" + name));
        }

        Path ram() {
            return scratch.resolve("ram");
        }

        Path saved() {
            return scratch.resolve("saved");
        }

        Path slot() {
            return scratch.resolve("slot.qcow2");
        }

        Path log() {
            return runtimeDirectory.resolve("qemu.log");
        }

        Path console() {
            return runtimeDirectory.resolve("console.log");
        }

        Path lock() {
            return runtimeDirectory.resolve("lock");
        }

        Path qmpSocket() {
            return runtimeDirectory.resolve("qmp");
        }

        Path nicSocket(int nic) {
            return runtimeDirectory.resolve("nic" + nic);
        }
    }
}
