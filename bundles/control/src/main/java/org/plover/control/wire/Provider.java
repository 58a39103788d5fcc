package org.plover.control.wire;

/**
 * A swappable part that is installed and runs.
 *
 * @param kind    what it is: {@code hasher}, {@code policy}, {@code transport}, {@code consensus}, {@code gate}, {@code machine}, {@code network}
 *                or {@code disk}
 * @param id      the name by which it is chosen
 * @param bundle  bundle that it comes from
 * @param version version of that bundle
 * @param setting key of a VM's configuration that chooses among those of its kind, or empty if there is no choice
 */
public record Provider(String kind, String id, String bundle, String version, String setting) {
}
