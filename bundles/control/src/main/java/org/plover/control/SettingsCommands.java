package org.plover.control;

import jakarta.json.JsonArray;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.metatype.AttributeDefinition;
import org.plover.api.control.Caller;
import org.plover.control.wire.PidSettings;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Protocol.Code;
import org.plover.control.wire.RecordJson;
import org.plover.control.wire.Setting;

/** Shows and changes every setting that metatype declares, through Config Admin, so that files and console follow. Thread-safe. */
final class SettingsCommands {
    private static final JsonProvider JSON = JsonProvider.provider();
    /** Stands for a secret wherever one would be shown. */
    private static final String HIDDEN = "***";
    private static final Pattern PID_NAME = Pattern.compile("[A-Za-z0-9_.-]+(~[A-Za-z0-9_.-]+)?");
    /** The last of these words in a key is the unit of its value. */
    private static final Pattern UNIT =
            Pattern.compile("(Millis|Micros|Nanos|Seconds|Minutes|Bytes|MiB|Permille|Percent|Frames|Entries|Epochs|Samples)(?![a-z])");
    private static final Map<String, String> SHORT = Map.of("Millis", "ms", "Micros", "us", "Nanos", "ns", "Seconds", "s", "Minutes", "min",
            "MiB", "MiB", "Percent", "%");

    private final Supplier<Map<String, Metatype.Pid>> metatype;
    private final SettingsRules rules;
    private final Supplier<ConfigurationAdmin> admin;
    private final OrderLog log;

    SettingsCommands(Supplier<Map<String, Metatype.Pid>> metatype, SettingsRules rules, Supplier<ConfigurationAdmin> admin, OrderLog log) {
        this.metatype = metatype;
        this.rules = rules;
        this.admin = admin;
        this.log = log;
    }

    /** All there is, or the settings of one PID; of a factory's PID the template and every configuration made of it. */
    JsonArray list(String only) throws CommandException {
        Map<String, Metatype.Pid> declared = metatype.get();
        List<PidSettings> found = new ArrayList<>();
        for (Metatype.Pid pid : only == null ? List.copyOf(declared.values()) : List.of(declared(declared, only))) {
            if (!pid.factory()) {
                found.add(settings(pid, pid.pid(), false, properties(pid.pid())));
                continue;
            }
            if (only == null || only.equals(pid.pid())) {
                found.add(settings(pid, pid.pid(), true, null));
            }
            for (Configuration configuration : configurations("(service.factoryPid=" + pid.pid() + ")")) {
                if (only == null || only.equals(pid.pid()) || only.equals(configuration.getPid())) {
                    found.add(settings(pid, configuration.getPid(), false, configuration.getProperties()));
                }
            }
        }
        if (found.isEmpty()) {
            throw new CommandException(Code.NOT_FOUND, "there is no configuration " + only + " yet; 'set' makes it");
        }
        return RecordJson.toJson(found);
    }

    /**
     * Judges what {@link #set} would do, and does nothing. Keys that nobody has declared are passed over: the container's console,
     * which asks this, may set them.
     */
    JsonObject check(JsonObject request) throws CommandException {
        Change change = change(request, true);
        return said(change.pid() + ": these values can be set");
    }

    /** Changes some keys of a configuration, all or none. What was configured besides stays. */
    JsonObject set(JsonObject request, Caller caller) throws CommandException {
        String pid = Request.needed(request, Protocol.PID);
        String id = log.given(OrderLog.NO_VM, Protocol.SET, JSON.createObjectBuilder().add(Protocol.PID, pid)
                .add(Protocol.VALUES, withoutSecrets(request)).build(), caller, "");
        String result = Code.FAILED.text();
        String message = "";
        try {
            Change change = change(request, false);
            store(change);
            message = pid + ": " + change.what();
            result = "done";
            return said(message);
        } catch (CommandException e) {
            result = e.code().text();
            message = e.getMessage();
            throw e;
        } finally {
            log.ended(id, OrderLog.NO_VM, Protocol.SET, result, message);
        }
    }

    /** @param values what shall be configured, all keys */
    private record Change(String pid, boolean factory, Hashtable<String, Object> values, String what) {
    }

    private Change change(JsonObject request, boolean undeclaredToo) throws CommandException {
        String pid = Request.needed(request, Protocol.PID);
        if (!PID_NAME.matcher(pid).matches()) {
            throw new CommandException(Code.BAD_REQUEST, "'" + pid + "' is no PID: letters, digits, dot, dash and underscore, and ~NAME for one of several");
        }
        if (!(request.get(Protocol.VALUES) instanceof JsonObject wanted) || wanted.isEmpty()) {
            throw new CommandException(Code.BAD_REQUEST, "\"" + Protocol.VALUES + "\" must be an object with at least one key");
        }
        Metatype.Pid declared = declared(metatype.get(), pid);
        if (declared.factory() == declared.pid().equals(pid)) {
            throw new CommandException(Code.BAD_REQUEST, declared.factory()
                    ? pid + " is for several configurations: name one as " + pid + "~NAME" : declared.pid() + " is one configuration, without ~NAME");
        }
        Hashtable<String, Object> values = new Hashtable<>();
        Dictionary<String, Object> present = properties(pid);
        if (present != null) {
            Collections.list(present.keys()).forEach(key -> values.put(key, present.get(key)));
        }
        Map<String, String> what = new TreeMap<>();
        for (String key : wanted.keySet()) {
            Metatype.Attribute attribute = declared.attributes().stream().filter(known -> known.key().equals(key)).findFirst().orElse(null);
            if (attribute == null && undeclaredToo) {
                continue;
            } else if (attribute == null) {
                throw new CommandException(Code.BAD_REQUEST, declared.pid() + " has no key '" + key + "'; it has "
                        + declared.attributes().stream().map(Metatype.Attribute::key).collect(Collectors.joining(", ")));
            }
            JsonValue value = wanted.get(key);
            if (value == JsonValue.NULL) {
                values.remove(key);
                what.put(key, key + " has its default again");
            } else {
                values.put(key, typed(attribute, value));
                what.put(key, key + " is " + (SettingsRules.isSecret(attribute) ? HIDDEN : shown(values.get(key))) + " now");
            }
        }
        String refusal = rules.refusal(pid, values);
        if (!refusal.isEmpty()) {
            throw new CommandException(Code.BAD_REQUEST, refusal);
        }
        return new Change(pid, declared.factory(), values, String.join(", ", what.values()));
    }

    private static Object typed(Metatype.Attribute attribute, JsonValue value) throws CommandException {
        Object plain = plain(attribute.key(), value);
        if (attribute.list() && plain.equals("")) {
            // As text cannot say it otherwise: no value at all.
            plain = List.of();
        }
        try {
            return SettingsRules.typed(attribute, plain);
        } catch (IllegalArgumentException e) {
            throw new CommandException(Code.BAD_REQUEST, e.getMessage());
        }
    }

    private static Object plain(String key, JsonValue value) throws CommandException {
        if (value instanceof JsonString text) {
            return text.getString();
        } else if (value instanceof JsonNumber number) {
            return number.bigDecimalValue().toPlainString();
        } else if (value == JsonValue.TRUE || value == JsonValue.FALSE) {
            return value == JsonValue.TRUE;
        } else if (value instanceof JsonArray array) {
            List<Object> elements = new ArrayList<>();
            for (JsonValue element : array) {
                elements.add(plain(key, element));
            }
            return elements;
        }
        throw new CommandException(Code.BAD_REQUEST, key + ": " + value + " is no text, number, truth value or list of these");
    }

    private void store(Change change) throws CommandException {
        ConfigurationAdmin present = present();
        try {
            Configuration configuration = change.factory()
                    ? present.getFactoryConfiguration(SettingsRules.factoryOrPid(change.pid()), change.pid().substring(change.pid().indexOf('~') + 1), "?")
                    : present.getConfiguration(change.pid(), "?");
            configuration.update(change.values());
        } catch (IOException e) {
            throw new CommandException(Code.FAILED, change.pid() + " cannot be changed: " + e.getMessage());
        }
    }

    private static Metatype.Pid declared(Map<String, Metatype.Pid> all, String pid) throws CommandException {
        Metatype.Pid declared = all.get(SettingsRules.factoryOrPid(pid));
        if (declared == null) {
            throw new CommandException(Code.NOT_FOUND, "there is nothing to configure under '" + pid + "'; 'plover settings' lists what there is");
        }
        return declared;
    }

    private Dictionary<String, Object> properties(String pid) throws CommandException {
        List<Configuration> found = configurations("(service.pid=" + pid + ")");
        return found.isEmpty() ? null : found.get(0).getProperties();
    }

    private List<Configuration> configurations(String filter) throws CommandException {
        try {
            Configuration[] found = present().listConfigurations(filter);
            return found == null ? List.of() : List.of(found);
        } catch (IOException | InvalidSyntaxException e) {
            throw new CommandException(Code.FAILED, "configurations cannot be read: " + e.getMessage());
        }
    }

    private ConfigurationAdmin present() throws CommandException {
        ConfigurationAdmin present = admin.get();
        if (present == null) {
            throw new CommandException(Code.FAILED, "this appliance has no Config Admin; change its files in the configuration folder");
        }
        return present;
    }

    private static PidSettings settings(Metatype.Pid pid, String name, boolean template, Dictionary<String, Object> configured) {
        List<Setting> settings = pid.attributes().stream().map(attribute -> setting(attribute, configured)).toList();
        return new PidSettings(name, pid.factory() ? pid.pid() : "", template, pid.name(), pid.help(), configured != null, settings);
    }

    private static Setting setting(Metatype.Attribute attribute, Dictionary<String, Object> configured) {
        Object value = configured == null ? null : configured.get(attribute.key());
        boolean secret = SettingsRules.isSecret(attribute);
        JsonValue otherwise = secret ? JsonValue.NULL : defaultValue(attribute);
        JsonValue counts = secret ? JsonValue.NULL : value == null ? otherwise : json(attribute, value);
        return new Setting(attribute.key(), attribute.name(), attribute.help(), type(attribute), attribute.list(), unit(attribute.key()),
                attribute.min(), attribute.max(), attribute.options(), otherwise, secret, value != null, counts);
    }

    private static String type(Metatype.Attribute attribute) {
        return switch (attribute.type()) {
            case AttributeDefinition.INTEGER, AttributeDefinition.LONG, AttributeDefinition.SHORT, AttributeDefinition.BYTE -> "integer";
            case AttributeDefinition.DOUBLE, AttributeDefinition.FLOAT -> "number";
            case AttributeDefinition.BOOLEAN -> "boolean";
            case AttributeDefinition.PASSWORD -> "password";
            default -> "string";
        };
    }

    static String unit(String key) {
        Matcher units = UNIT.matcher(key);
        String last = "";
        while (units.find()) {
            last = units.group(1);
        }
        return SHORT.getOrDefault(last, last.toLowerCase(Locale.ROOT));
    }

    private static JsonValue defaultValue(Metatype.Attribute attribute) {
        if (attribute.list()) {
            return json(attribute, attribute.defaults());
        }
        return attribute.defaults().isEmpty() ? JsonValue.NULL : json(attribute, attribute.defaults().get(0));
    }

    /** A value that does not fit its attribute, as a file may hold it, is shown as it is. */
    private static JsonValue json(Metatype.Attribute attribute, Object value) {
        Object typed;
        try {
            typed = SettingsRules.typed(attribute, value);
        } catch (IllegalArgumentException e) {
            typed = value;
        }
        if (attribute.list()) {
            JsonArrayBuilder array = JSON.createArrayBuilder();
            SettingsRules.elements(typed).forEach(element -> array.add(single(element)));
            return array.build();
        }
        return single(typed);
    }

    private static JsonValue single(Object value) {
        if (value instanceof Boolean truth) {
            return truth ? JsonValue.TRUE : JsonValue.FALSE;
        } else if (value instanceof Double number) {
            return JSON.createValue(number);
        } else if (value instanceof Number number) {
            return JSON.createValue(number.longValue());
        }
        return JSON.createValue(value.toString());
    }

    private static String shown(Object value) {
        return value instanceof Object[] ? SettingsRules.elements(value).toString() : value.toString();
    }

    private static JsonObject withoutSecrets(JsonObject request) {
        JsonObjectBuilder shown = JSON.createObjectBuilder();
        if (request.get(Protocol.VALUES) instanceof JsonObject values) {
            values.forEach((key, value) -> {
                if (SettingsRules.isSecret(key)) {
                    shown.add(key, HIDDEN);
                } else {
                    shown.add(key, value);
                }
            });
        }
        return shown.build();
    }

    private static JsonObject said(String sentence) {
        return JSON.createObjectBuilder().add(Protocol.MESSAGE, sentence).build();
    }
}
