package org.plover.control.cli;

import java.util.Locale;

/** Numbers as people read them, the same in every language setting, so that scripts can read them too. */
final class Format {
    private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Format() {
    }

    static String text(String pattern, Object... arguments) {
        return String.format(Locale.ROOT, pattern, arguments);
    }

    static String bytes(double bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? text("%.0f B", value) : text("%.1f %s", value, BYTE_UNITS[unit]);
    }

    /** A number with as many decimals as its size calls for. */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        return text(value >= 100 || value == Math.rint(value) ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
    }

    static String micros(long micros) {
        if (micros < 0) {
            return "-";
        }
        return micros < 1000 ? micros + " us" : number(micros / 1000.0) + " ms";
    }

    static String percent(double percent) {
        return Double.isNaN(percent) ? "-" : text("%.1f %%", percent);
    }

    static String plural(long count, String one) {
        return count + " " + one + (count == 1 ? "" : "s");
    }
}
