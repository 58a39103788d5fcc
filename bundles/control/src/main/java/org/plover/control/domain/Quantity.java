package org.plover.control.domain;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers with units, as libvirt and QEMU write them. */
final class Quantity {
    private static final Pattern NUMBER = Pattern.compile("(\\d{1,15})\\s*([A-Za-z]*)");
    private static final Map<String, Long> LIBVIRT = Map.ofEntries(Map.entry("b", 1L), Map.entry("bytes", 1L), Map.entry("kb", 1_000L),
            Map.entry("k", 1L << 10), Map.entry("kib", 1L << 10), Map.entry("mb", 1_000_000L), Map.entry("m", 1L << 20), Map.entry("mib", 1L << 20),
            Map.entry("gb", 1_000_000_000L), Map.entry("g", 1L << 30), Map.entry("gib", 1L << 30), Map.entry("tb", 1_000_000_000_000L),
            Map.entry("t", 1L << 40), Map.entry("tib", 1L << 40));

    private Quantity() {
    }

    /** Bytes by libvirt's rules: KiB unless a unit is given. */
    static long libvirtBytes(String number, String unit, String what) throws DomainException {
        Long factor = LIBVIRT.get(unit.isEmpty() ? "kib" : unit.toLowerCase(Locale.ROOT));
        Matcher m = NUMBER.matcher(number);
        if (factor == null || !m.matches() || !m.group(2).isEmpty()) {
            throw new DomainException(what + " is '" + number + (unit.isEmpty() ? "" : " " + unit) + "', which is no amount of memory");
        }
        return product(m.group(1), factor, what);
    }

    /** Bytes by QEMU's rules: MiB unless a suffix says otherwise. */
    static long qemuBytes(String text, String what) throws DomainException {
        Matcher m = NUMBER.matcher(text);
        Long factor = m.matches() ? LIBVIRT.get(m.group(2).isEmpty() ? "m" : m.group(2).toLowerCase(Locale.ROOT)) : null;
        if (factor == null) {
            throw new DomainException(what + " is '" + text + "', which is no amount of memory");
        }
        return product(m.group(1), factor, what);
    }

    static long whole(String text, String what) throws DomainException {
        if (!text.matches("\\d{1,9}")) {
            throw new DomainException(what + " is '" + text + "', which is no whole number");
        }
        return Long.parseLong(text);
    }

    private static long product(String digits, long factor, String what) throws DomainException {
        try {
            return Math.multiplyExact(Long.parseLong(digits), factor);
        } catch (ArithmeticException e) {
            throw new DomainException(what + " is larger than any memory");
        }
    }
}
