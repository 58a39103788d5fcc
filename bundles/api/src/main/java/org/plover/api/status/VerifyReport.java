package org.plover.api.status;

import java.util.List;

/**
 * Result of comparing all guest memory of both replicas at a committed epoch.
 *
 * @param epoch          the epoch
 * @param pagesCompared  pages compared
 * @param pagesDiffering pages that differ
 * @param firstDiffering numbers of the first differing pages, at most 32
 */
public record VerifyReport(long epoch, int pagesCompared, int pagesDiffering, List<Integer> firstDiffering) {
}
