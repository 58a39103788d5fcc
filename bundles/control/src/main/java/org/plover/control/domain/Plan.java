package org.plover.control.domain;

import java.util.List;
import org.plover.api.health.Finding;

/**
 * What becomes of a virtual machine here.
 *
 * @param name     its name here
 * @param findings what blocks (ERROR), what an operator must look at (WARNING), what fits (OK)
 * @param changes  what the guest will find different, or the operator lose; each a sentence
 * @param files    configuration to be written, in the order in which it is needed
 */
public record Plan(String name, List<Finding> findings, List<String> changes, List<PlannedFile> files) {
    public Plan {
        findings = List.copyOf(findings);
        changes = List.copyOf(changes);
        files = List.copyOf(files);
    }

    /** Whether nothing stands in the way. */
    public boolean possible() {
        return findings.stream().noneMatch(finding -> finding.level() == Finding.Level.ERROR);
    }

    /**
     * A configuration file.
     *
     * @param name    its name in the configuration folder
     * @param member  the member on whose host it belongs, or empty if it is the same everywhere
     * @param note    where it goes, for a person
     * @param content all of it
     */
    public record PlannedFile(String name, String member, String note, String content) {
    }
}
