package org.plover.transport.tcp;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who may speak as which member.
 *
 * @param tls      whether members prove who they are at all
 * @param byMember fingerprints of the keys of each member, by its name
 */
record Pins(boolean tls, Map<String, Set<String>> byMember) {
    private static final Pattern PIN = Pattern.compile("\\s*([A-Za-z0-9_.-]+)=(sha256:[0-9a-f]{64})\\s*");

    /** @throws IllegalArgumentException in one sentence, if a value cannot be */
    static Pins of(PeersConfig config) {
        String security = config.security() == null ? PeersConfig.TLS : config.security().strip();
        if (!security.equals(PeersConfig.TLS) && !security.equals(PeersConfig.NONE)) {
            throw new IllegalArgumentException(Peers.PID + ": security is '" + security + "', must be " + PeersConfig.TLS + " or " + PeersConfig.NONE);
        }
        Map<String, Set<String>> byMember = new LinkedHashMap<>();
        for (String text : config.pins() == null ? new String[0] : config.pins()) {
            if (text.isBlank()) {
                continue;
            }
            Matcher m = PIN.matcher(text);
            if (!m.matches()) {
                throw new IllegalArgumentException(Peers.PID + ": pins: '" + text + "' is not MEMBER=sha256:FINGERPRINT with 64 hexadecimal digits;"
                        + " 'plover identity' on that member prints it");
            }
            byMember.computeIfAbsent(m.group(1), name -> new LinkedHashSet<>()).add(m.group(2));
        }
        return new Pins(security.equals(PeersConfig.TLS), byMember);
    }

    boolean knows(String member) {
        return byMember.containsKey(member);
    }

    boolean allows(String member, String fingerprint) {
        return byMember.getOrDefault(member, Set.of()).contains(fingerprint);
    }

    /** Whose key it is, or null. */
    String owner(String fingerprint) {
        return byMember.keySet().stream().filter(member -> allows(member, fingerprint)).findFirst().orElse(null);
    }

    boolean allowsAny(List<String> members, String fingerprint) {
        return members.stream().anyMatch(member -> allows(member, fingerprint));
    }
}
