package org.plover.api.health;

/**
 * One result of a check.
 *
 * @param level   how bad it is
 * @param subject what was looked at, for instance {@code QEMU version}
 * @param text    what was found
 * @param remedy  what to do about it; empty if nothing is to be done
 */
public record Finding(Level level, String subject, String text, String remedy) {
    /** How bad a finding is. */
    public enum Level {
        /** As it should be. */
        OK,
        /** Works, but not as well as it could. */
        WARNING,
        /** A protected VM cannot work on this host like this. */
        ERROR
    }

    public static Finding ok(String subject, String text) {
        return new Finding(Level.OK, subject, text, "");
    }

    public static Finding warning(String subject, String text, String remedy) {
        return new Finding(Level.WARNING, subject, text, remedy);
    }

    public static Finding error(String subject, String text, String remedy) {
        return new Finding(Level.ERROR, subject, text, remedy);
    }
}
