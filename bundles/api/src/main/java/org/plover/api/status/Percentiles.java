package org.plover.api.status;

/**
 * A distribution in short.
 *
 * @param count number of values
 * @param p50   median
 * @param p99   99th percentile
 * @param max   largest
 */
public record Percentiles(long count, double p50, double p99, double max) {
    public static final Percentiles NONE = new Percentiles(0, 0, 0, 0);
}
