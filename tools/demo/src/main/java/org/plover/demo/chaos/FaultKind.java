package org.plover.demo.chaos;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What can be done to the cluster, and to whom. */
enum FaultKind {
    KILL_APPLIANCE("kill-appliance", Victim.ANY, "SIGKILL to the appliance; its QEMU goes with it; started again with its storage"),
    KILL_QEMU("kill-qemu", Victim.REPLICA, "SIGKILL to QEMU only"),
    KILL_HOST("kill-host", Victim.ANY, "links silent, every process killed, storage lost; an empty host comes back"),
    KILL_TWO("kill-two", Victim.REPLICA, "SIGKILL to the appliances of one replica and of the witness; both started again with their storage"),
    KILL_AGAIN("kill-again", Victim.BACKUP, "the backup's appliance is killed again and again while it is being brought in"),
    FREEZE("freeze", Victim.ANY, "SIGSTOP to appliance and QEMU for longer than the election timeout, then SIGCONT"),
    FREEZE_APPLIANCE("freeze-appliance", Victim.REPLICA, "SIGSTOP to the appliance only: its QEMU runs on"),
    FREEZE_SHORT("freeze-short", Victim.ANY, "SIGSTOP to appliance and QEMU for less than the election timeout or about as long"),
    FREEZE_QEMU("freeze-qemu", Victim.REPLICA, "SIGSTOP to QEMU only"),
    CUT("cut", Victim.ANY, "both links of a host down"),
    CUT_SYNC("cut-sync", Victim.ANY, "the link to the other members down, the one to the clients up"),
    ONE_WAY("one-way", Victim.ANY, "all that a host sends to the members, or all that they send to it, is dropped"),
    CUT_PAIR("cut-pair", Victim.ANY, "two members do not reach each other; the third reaches both"),
    SLOW_LINK("slow-link", Victim.ANY, "a host's link to the members has 20 to 50 Mbit/s"),
    LOSSY_LINK("lossy-link", Victim.ANY, "a host's link to the members loses 5 to 25 of 100 packets that come in"),
    STORAGE_FULL("storage-full", Victim.ANY, "the data directory's file system is full; then a switchover, which all have to store"),
    STORAGE_READ_ONLY("storage-read-only", Victim.ANY, "nothing in the VM's directory can be changed; then a switchover"),
    STARVE_BACKUP("starve-backup", Victim.BACKUP, "the backup's host has a fraction of a processor"),
    SWITCHOVER("switchover", Victim.PRIMARY, "no fault, an order: the backup takes over"),
    IMAGES_FULL("images-full", Victim.REPLICA, "nothing new can be written to a replica's images: their file system is full; it has to come back by"
            + " itself when there is room"),
    CUT_REJOIN("cut-rejoin", Victim.BACKUP, "an empty host takes the backup's place; while it is brought in, its link to the members is cut"),
    /** From here on no guest's memory survives. */
    POWER_REJOIN("power-rejoin", Victim.BACKUP, "an empty host takes the backup's place; while it is brought in, all hosts lose power"),
    LOSE_REPLICAS("lose-replicas", Victim.NONE, "both replicas lose power at once and start again: appliances and QEMUs killed"),
    RESTART_ALL("restart-all", Victim.NONE, "all hosts lose power at once and start again: appliances and QEMUs killed");

    /** Who can be a fault's victim. */
    enum Victim {
        ANY("primary", "backup", "witness"), REPLICA("primary", "backup"), PRIMARY("primary"), BACKUP("backup"), NONE("all");

        final List<String> roles;

        Victim(String... roles) {
            this.roles = List.of(roles);
        }
    }

    final String word;
    final Victim victim;
    final String what;

    FaultKind(String word, Victim victim, String what) {
        this.word = word;
        this.victim = victim;
        this.what = what;
    }

    /** Whether the guest's memory is lost with it, and legitimately so. */
    boolean losesTheGuest() {
        return this == LOSE_REPLICAS || this == RESTART_ALL || this == POWER_REJOIN;
    }

    /** Whether it is about what a guest without a disk does not have. */
    boolean needsDisk() {
        return this == IMAGES_FULL || this == CUT_REJOIN || this == POWER_REJOIN;
    }

    /** Whether it takes the guest away from the host that runs it, without a warning. */
    boolean killsThePrimary(String role) {
        return (this == KILL_APPLIANCE || this == KILL_HOST) && role.equals("primary");
    }

    static Optional<FaultKind> of(String word) {
        return Arrays.stream(values()).filter(k -> k.word.equals(word)).findFirst();
    }
}
