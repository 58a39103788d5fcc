package org.plover.control.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.Percentiles;
import org.plover.api.status.VmStatus;

/** A protected VM's status for a person: first what matters when the pager has gone off, then the numbers. */
final class StatusView {
    private static final String ROW = "  %-13s %s";
    private static final String MEMBER_ROW = "  %-14s %-9s %-13s %-8s %-6s %-11s %s";

    private StatusView() {
    }

    static List<String> lines(VmStatus status) {
        List<String> lines = new ArrayList<>();
        lines.add(Format.text("%s  %s", status.vm(), protection(status)));
        if (!status.message().isEmpty() && (status.slowed().isEmpty() || !status.protectedNow())) {
            lines.add("  " + status.message());
        }
        status.notes().forEach(note -> lines.add("  ! " + note));
        if (status.members().isEmpty()) {
            return lines; // it has not started: there is no more to say
        }
        lines.add("");
        lines.add(row("role", "%s, as %s sees it", status.role(), status.member()));
        lines.add(row("primary", "%s", status.primary().isEmpty() ? "none at the moment" : status.primary()));
        lines.add(row("view, epoch", "%d, %d%s", status.view(), status.epoch(), generation(status.view())));
        if (status.synchronisationPercent() >= 0) {
            lines.add(row("synchronising", "%d %% of a fresh backup's state is there", status.synchronisationPercent()));
        }
        lines.add("");
        lines.add(row("same pages", "%s of the pages written were equal on both sides", Format.percent(status.samePagesPercent())));
        lines.add(row("pause", "%s", spread(status.pauseMillis(), Format::number, " ms")));
        lines.add(row("interval", "%s", spread(status.intervalMillis(), Format::number, " ms")));
        lines.add(row("dirty pages", "%s", spread(status.dirtyPages(), Format::number, "")));
        lines.add(row("sent", "%s", spread(status.transferredBytes(), Format::bytes, "")));
        lines.add(row("agreement", "%s", spread(status.inputConsensusMicros(), Format::number, " us")));
        lines.add(row("held output", "%s, %s%s", Format.plural(status.heldFrames(), "frame"), Format.bytes(status.heldBytes()),
                status.heldFrames() == 0 ? "" : ", the oldest for " + status.oldestHeldMillis() + " ms"));
        if (status.inputBacklogBytes() > 0) {
            lines.add(row("input backlog", "%s that the guest has not taken up", Format.bytes(status.inputBacklogBytes())));
        }
        lines.add(row("input log", "%s", status.logEntries() == 1 ? "1 entry" : status.logEntries() + " entries"));
        lines.add(row("epochs", "%d committed, %d verified%s", status.epochsCommitted(), status.epochsVerified(), differing(status)));
        lines.add(row("parts", "hasher %s, policy %s, transport %s", status.hasher(), status.policy(), status.transport()));
        lines.add("");
        lines.addAll(members(status));
        return lines;
    }

    /** The table of members. */
    static List<String> members(VmStatus status) {
        List<String> lines = new ArrayList<>();
        lines.add(Format.text(MEMBER_ROW, "member", "kind", "link", "in sync", "votes", "last heard", "round trip"));
        status.members().forEach(member -> lines.add(member(member)));
        return lines;
    }

    /** One line for a log or a narrow window. */
    static String line(VmStatus status) {
        return Format.text("%s %s %s view %d epoch %d same %s pause p50 %s ms p99 %s ms held %d in-sync %s", status.vm(),
                status.slowed().isEmpty() ? protection(status) : (status.protectedNow() ? "PROTECTED" : "NOT PROTECTED") + ", slowed",
                status.role(), status.view(), status.epoch(), Format.percent(status.samePagesPercent()),
                Format.number(status.pauseMillis().p50()), Format.number(status.pauseMillis().p99()), status.heldFrames(),
                inSync(status));
    }

    private static String protection(VmStatus status) {
        return (status.protectedNow() ? "PROTECTED" : "NOT PROTECTED") + (status.slowed().isEmpty() ? "" : ", slowed: " + status.slowed());
    }

    private static String inSync(VmStatus status) {
        List<String> names = status.members().stream().filter(MemberStatus::inSync).map(MemberStatus::name).toList();
        return names.isEmpty() ? "-" : String.join(",", names);
    }

    private static String differing(VmStatus status) {
        if (status.epochsVerified() == 0) {
            return "";
        }
        return status.pagesDiffering() == 0 ? ", all equal"
                : ", " + Format.plural(status.pagesDiffering(), "page") + " DIFFERED: keep both logs and report it";
    }

    private static String spread(Percentiles values, DoubleFunction<String> number, String unit) {
        if (values.count() == 0) {
            return "-";
        }
        return Format.text("p50 %-9s p99 %-9s max %s%s", number.apply(values.p50()), number.apply(values.p99()),
                number.apply(values.max()), unit);
    }

    private static String member(MemberStatus member) {
        String link = member.self() ? "this member" : member.connected() ? "connected" : "NO CONNECTION";
        // A witness holds no state that could be in sync.
        String inSync = member.kind().equalsIgnoreCase("witness") ? "-" : member.inSync() ? "yes" : "NO";
        String votes = member.left() ? "left" : member.votes() ? "yes" : "NO";
        String heard = member.self() ? "-" : member.connected() ? "now" : member.heardMillis() < 0 ? "never" : ago(member.heardMillis());
        return Format.text(MEMBER_ROW, member.name(), member.kind(), link, inSync, votes, heard,
                member.self() ? "-" : Format.micros(member.roundTripMicros())).stripTrailing();
    }

    /**
     * A start by force, or of a guest that everybody had lost, begins a new generation of views. They are counted in the view's
     * upper half, so that such a view is above all that others can reach.
     */
    private static String generation(long view) {
        long generation = view >>> Integer.SIZE;
        return generation == 0 ? "" : " (generation " + generation + ": started anew " + Format.plural(generation, "time") + ")";
    }

    private static String ago(long millis) {
        return millis < 10_000 ? millis + " ms ago" : millis < 600_000 ? millis / 1000 + " s ago" : millis / 60_000 + " min ago";
    }

    private static String row(String name, String pattern, Object... arguments) {
        return Format.text(ROW, name, Format.text(pattern, arguments)).stripTrailing();
    }
}
