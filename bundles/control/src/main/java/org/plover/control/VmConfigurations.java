package org.plover.control;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.plover.control.domain.ConfigText;
import org.plover.control.wire.Protocol.Code;

/** The configurations of protected virtual machines, as far as orders change them: through Config Admin, so that file and console follow. */
final class VmConfigurations {
    static final String FACTORY = "org.plover.vm";
    private static final String PEERS = "org.plover.peers";
    private static final Pattern FINGERPRINT = Pattern.compile("sha256:[0-9a-f]{64}");
    private static final String MEMBERS = "members";
    private static final Set<String> BOOKKEEPING = Set.of("service.pid", "service.factoryPid", "service.bundleLocation");
    private static final Pattern ADDRESS = Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^:@,=\\s]+):(\\d{1,5})");

    private final Supplier<ConfigurationAdmin> admin;

    VmConfigurations(Supplier<ConfigurationAdmin> admin) {
        this.admin = admin;
    }

    /**
     * What an address has to look like.
     *
     * @throws CommandException if it does not
     */
    static void check(String address) throws CommandException {
        Matcher m = ADDRESS.matcher(address);
        if (!m.matches() || Integer.parseInt(m.group(2)) < 1 || Integer.parseInt(m.group(2)) > 65535) {
            throw new CommandException(Code.BAD_REQUEST, "'" + address + "' is not HOST:PORT with a port from 1 to 65535, for instance "
                    + "192.0.2.7:7400");
        }
    }

    /**
     * Gives a member another address. All other keys stay as they are.
     *
     * @return what a configuration file for that member has to say
     * @throws CommandException if there is no such configuration or it does not name the member; nothing has changed then
     */
    String readdress(String vm, String member, String address) throws CommandException {
        Configuration configuration = find(vm);
        Dictionary<String, Object> properties = configuration.getProperties();
        if (!(properties.get(MEMBERS) instanceof String[] members)) {
            throw new CommandException(Code.REFUSED, configuration.getPid() + ": '" + MEMBERS + "' is not a list of texts; write it as one, "
                    + "in a file that ends with .config");
        }
        String[] next = members.clone();
        boolean found = false;
        for (int i = 0; i < next.length; i++) {
            String text = next[i].strip();
            if (text.startsWith(member + "=") && text.indexOf('@') > 0) {
                next[i] = text.substring(0, text.indexOf('@') + 1) + address;
                found = true;
            } else if (text.endsWith("@" + address)) {
                throw new CommandException(Code.BAD_REQUEST, address + " is the address of another member already: " + text);
            }
        }
        if (!found) {
            throw new CommandException(Code.REFUSED, configuration.getPid() + " names no member " + member + ", but "
                    + String.join(", ", members));
        }
        properties.put(MEMBERS, next);
        try {
            if (!Arrays.equals(members, next)) {
                configuration.update(properties);
            }
        } catch (IOException e) {
            throw new CommandException(Code.FAILED, configuration.getPid() + " cannot be changed: " + e.getMessage());
        }
        return fileFor(member, properties);
    }

    /**
     * What a new host has to know.
     *
     * @param host   of this member
     * @param files  configurations of the virtual machines that have it as a member, by the names of their files
     * @param others members beside this one and the new one
     */
    record Enrolled(String host, List<String> pins, SortedMap<String, String> files, List<String> others) {
    }

    /**
     * What the member needs to take part; with a key, it is believed from now on.
     *
     * @param own fingerprint of this member's key
     * @param key fingerprint of the new member's key, or null
     * @throws CommandException if no virtual machine here has such a member, or a value cannot be; nothing has changed then
     */
    Enrolled enrol(String member, String own, String key) throws CommandException {
        for (String fingerprint : key == null ? List.of(own) : List.of(own, key)) {
            if (!FINGERPRINT.matcher(fingerprint).matches()) {
                throw new CommandException(Code.BAD_REQUEST, "'" + fingerprint + "' is no fingerprint: sha256: and 64 hexadecimal digits, as 'plover "
                        + "identity' prints them");
            }
        }
        SortedMap<String, String> files = new TreeMap<>();
        Set<String> others = new TreeSet<>();
        String self = null;
        String host = "";
        for (Configuration vm : all("(service.factoryPid=" + FACTORY + ")")) {
            Dictionary<String, Object> properties = vm.getProperties();
            if (!(properties.get(MEMBERS) instanceof String[] members) || host(members, member) == null) {
                continue;
            }
            self = String.valueOf(properties.get("self"));
            host = host(members, self);
            for (String each : members) {
                others.add(each.strip().replaceFirst("=.*", ""));
            }
            files.put(vm.getPid() + ".config", fileFor(member, properties));
        }
        if (self == null || host == null || self.equals(member)) {
            throw new CommandException(Code.REFUSED, self != null && self.equals(member) ? member + " is this member itself"
                    : "no virtual machine here has a member " + member + ": put it into 'members' of org.plover.vm~NAME first");
        }
        others.removeAll(Set.of(self, member));
        return new Enrolled(host, pins(self + "=" + own, key == null ? null : member + "=" + key), files, List.copyOf(others));
    }

    /** The pins that are there and these two; kept only if there is a new one. */
    private List<String> pins(String own, String added) throws CommandException {
        Configuration[] found = all("(service.pid=" + PEERS + ")");
        Dictionary<String, Object> properties = found.length > 0 ? found[0].getProperties() : new Hashtable<>();
        List<String> pins = new ArrayList<>(properties.get("pins") instanceof String[] known ? List.of(known) : List.of());
        for (String pin : added == null ? List.of(own) : List.of(own, added)) {
            if (!pins.contains(pin)) {
                pins.add(pin);
            }
        }
        if (added != null) {
            properties.put("pins", pins.toArray(String[]::new));
            try {
                (found.length > 0 ? found[0] : admin.get().getConfiguration(PEERS, "?")).update(properties);
            } catch (IOException e) {
                throw new CommandException(Code.FAILED, PEERS + " cannot be changed: " + e.getMessage());
            }
        }
        return pins;
    }

    private static String host(String[] members, String name) {
        for (String text : members) {
            String each = text.strip();
            if (each.startsWith(name + "=") && each.indexOf('@') > 0 && each.lastIndexOf(':') > each.indexOf('@')) {
                return each.substring(each.indexOf('@') + 1, each.lastIndexOf(':'));
            }
        }
        return null;
    }

    private Configuration[] all(String filter) throws CommandException {
        ConfigurationAdmin present = admin.get();
        if (present == null) {
            throw new CommandException(Code.FAILED, "this appliance has no Config Admin; change " + PEERS + " in the configuration folder");
        }
        try {
            Configuration[] found = present.listConfigurations(filter);
            return found == null ? new Configuration[0] : found;
        } catch (IOException | InvalidSyntaxException e) {
            throw new CommandException(Code.FAILED, "configurations cannot be read: " + e.getMessage());
        }
    }

    private Configuration find(String vm) throws CommandException {
        String pid = FACTORY + "~" + vm;
        ConfigurationAdmin present = admin.get();
        if (present == null) {
            throw new CommandException(Code.FAILED, "this appliance has no Config Admin; change " + pid + " in the configuration folder");
        }
        try {
            Configuration[] found = present.listConfigurations("(service.pid=" + pid + ")");
            if (found == null || found.length == 0) {
                throw new CommandException(Code.REFUSED, "there is no configuration " + pid);
            }
            return found[0];
        } catch (IOException | InvalidSyntaxException e) {
            throw new CommandException(Code.FAILED, "configuration " + pid + " cannot be read: " + e.getMessage());
        }
    }

    /** The text of a {@code .config} file, in the order of the keys. */
    private static String fileFor(String member, Dictionary<String, Object> properties) {
        TreeMap<String, Object> values = new TreeMap<>();
        for (String key : Collections.list(properties.keys())) {
            if (!BOOKKEEPING.contains(key) && !key.startsWith(".")) {
                values.put(key, properties.get(key));
            }
        }
        values.put("self", member);
        StringBuilder text = new StringBuilder();
        values.forEach((key, value) -> text.append(key).append('=').append(ConfigText.value(value)).append('\n'));
        return text.toString();
    }
}
