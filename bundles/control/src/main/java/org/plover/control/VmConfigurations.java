package org.plover.control;

import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Set;
import java.util.TreeMap;
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
