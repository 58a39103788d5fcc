package org.plover.network.tap;

import java.util.Locale;
import java.util.regex.Pattern;

/** MAC addresses as the lower 48 bits of a long. */
final class MacAddress {
    static final long BROADCAST = 0xffff_ffff_ffffL;
    private static final long GROUP_BIT = 1L << 40;
    private static final Pattern FORM = Pattern.compile("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}");

    private MacAddress() {
    }

    /**
     * @throws IllegalArgumentException if the text is not the address of a single interface
     */
    static long parse(String text) {
        if (!FORM.matcher(text).matches()) {
            throw new IllegalArgumentException("MAC address " + text + " is none; write it as 52:54:00:12:34:56");
        }
        long mac = Long.parseLong(text.replace(":", ""), 16);
        if (isGroup(mac) || mac == 0) {
            throw new IllegalArgumentException("MAC address " + text + " cannot be an interface's; its first byte has to be even, as in "
                    + "52:54:00:12:34:56");
        }
        return mac;
    }

    static boolean isGroup(long mac) {
        return (mac & GROUP_BIT) != 0;
    }

    /**
     * The host's own address of a guest's tap. It begins with {@code fe}, as libvirt does it: a bridge takes the lowest address of its
     * ports as its own, and must not change it because a guest comes or goes.
     */
    static long ofTap(long guest) {
        long mac = guest & 0x00ff_ffff_ffffL | 0xfe00_0000_0000L;
        return mac == guest ? mac ^ 1 : mac;
    }

    static String format(long mac) {
        StringBuilder text = new StringBuilder(17);
        for (int shift = 40; shift >= 0; shift -= 8) {
            text.append(String.format(Locale.ROOT, shift == 0 ? "%02x" : "%02x:", mac >> shift & 0xff));
        }
        return text.toString();
    }
}
