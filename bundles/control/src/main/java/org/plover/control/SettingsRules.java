package org.plover.control;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.osgi.service.metatype.AttributeDefinition;
import org.plover.api.settings.SettingsCheck;
import org.plover.api.settings.SettingsGuard;
import org.plover.api.settings.SettingsView;

/** What makes a configuration wrong: a value of the wrong type, what the part itself says, what metatype says; in this order. */
final class SettingsRules implements SettingsGuard {
    /** What the interpolation plugin puts another text in the place of. */
    private static final String PLACEHOLDER = "$[";

    private final Supplier<Map<String, Metatype.Pid>> metatype;
    /** The part's own check of a PID or factory PID, or null. */
    private final Function<String, SettingsCheck> checks;

    SettingsRules(Supplier<Map<String, Metatype.Pid>> metatype, Function<String, SettingsCheck> checks) {
        this.metatype = metatype;
        this.checks = checks;
    }

    @Override
    public String refusal(String pid, Map<String, ?> values) {
        Metatype.Pid declared = metatype.get().get(factoryOrPid(pid));
        try {
            Map<String, Object> typed = new TreeMap<>(values);
            if (declared != null) {
                declared.attributes().stream().filter(attribute -> values.containsKey(attribute.key()))
                        .forEach(attribute -> typed.put(attribute.key(), typed(attribute, values.get(attribute.key()))));
            }
            SettingsCheck check = checks.apply(factoryOrPid(pid));
            // What stands in the place of another text is not known before it is delivered; the part judges it then.
            boolean known = typed.values().stream().noneMatch(value -> value instanceof String text && text.contains(PLACEHOLDER));
            if (check != null && known) {
                check.check(pid, typed);
            }
            if (declared != null) {
                declared.attributes().stream().filter(attribute -> typed.containsKey(attribute.key()))
                        .forEach(attribute -> elements(typed.get(attribute.key())).forEach(value -> checkRange(attribute, value)));
            }
            return "";
        } catch (IllegalArgumentException e) {
            return e.getMessage();
        }
    }

    static String factoryOrPid(String pid) {
        return pid.indexOf('~') > 0 ? pid.substring(0, pid.indexOf('~')) : pid;
    }

    /** Whether nobody may see the value: passwords, and what is called like one. */
    static boolean isSecret(Metatype.Attribute attribute) {
        return attribute.type() == AttributeDefinition.PASSWORD || attribute.type() == AttributeDefinition.STRING && isSecret(attribute.key());
    }

    static boolean isSecret(String key) {
        String name = key.toLowerCase(Locale.ROOT);
        return name.contains("secret") || name.contains("password") || name.contains("token");
    }

    /**
     * The value in the type that the attribute has.
     *
     * @throws IllegalArgumentException with a sentence if it is none
     */
    static Object typed(Metatype.Attribute attribute, Object value) {
        List<?> elements = elements(value);
        if (!attribute.list()) {
            if (elements.size() != 1) {
                throw new IllegalArgumentException(attribute.key() + ": takes one value, not " + elements.size());
            }
            return single(attribute, elements.get(0));
        }
        List<Object> typed = new ArrayList<>();
        elements.forEach(element -> typed.add(single(attribute, element)));
        return switch (attribute.type()) {
            case AttributeDefinition.INTEGER, AttributeDefinition.SHORT, AttributeDefinition.BYTE -> typed.toArray(Integer[]::new);
            case AttributeDefinition.LONG -> typed.toArray(Long[]::new);
            case AttributeDefinition.DOUBLE, AttributeDefinition.FLOAT -> typed.toArray(Double[]::new);
            case AttributeDefinition.BOOLEAN -> typed.toArray(Boolean[]::new);
            default -> typed.toArray(String[]::new);
        };
    }

    static List<?> elements(Object value) {
        if (value instanceof Object[] array) {
            return Arrays.asList(array);
        } else if (value instanceof int[] array) {
            return Arrays.stream(array).boxed().toList();
        } else if (value instanceof long[] array) {
            return Arrays.stream(array).boxed().toList();
        }
        return value instanceof Collection<?> list ? List.copyOf(list) : List.of(value);
    }

    private static Object single(Metatype.Attribute attribute, Object value) {
        String text = value.toString().trim();
        if (text.contains(PLACEHOLDER)) {
            return value.toString();
        }
        try {
            return switch (attribute.type()) {
                case AttributeDefinition.INTEGER, AttributeDefinition.SHORT, AttributeDefinition.BYTE -> new BigInteger(text).intValueExact();
                case AttributeDefinition.LONG -> new BigInteger(text).longValueExact();
                case AttributeDefinition.DOUBLE, AttributeDefinition.FLOAT -> new BigDecimal(text).doubleValue();
                case AttributeDefinition.BOOLEAN -> truth(attribute, text);
                default -> value.toString();
            };
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(attribute.type() == AttributeDefinition.DOUBLE || attribute.type() == AttributeDefinition.FLOAT
                    ? attribute.key() + ": '" + text + "' is not a number" : SettingsView.wrongNumber(attribute.key(), text), e);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(SettingsView.wrongNumber(attribute.key(), text), e);
        }
    }

    private static Boolean truth(Metatype.Attribute attribute, String text) {
        if (!text.equalsIgnoreCase("true") && !text.equalsIgnoreCase("false")) {
            throw new IllegalArgumentException(attribute.key() + ": '" + text + "' is neither true nor false");
        }
        return Boolean.valueOf(text);
    }

    private static void checkRange(Metatype.Attribute attribute, Object value) {
        if (!attribute.options().isEmpty() && !attribute.options().contains(value.toString())) {
            throw new IllegalArgumentException(attribute.key() + ": '" + value + "' is none of " + String.join(", ", attribute.options()));
        }
        if (!(value instanceof Number)) {
            return;
        }
        BigDecimal number = new BigDecimal(value.toString());
        boolean low = !attribute.min().isEmpty() && number.compareTo(new BigDecimal(attribute.min())) < 0;
        boolean high = !attribute.max().isEmpty() && number.compareTo(new BigDecimal(attribute.max())) > 0;
        if (!low && !high) {
            return;
        } else if (attribute.max().isEmpty()) {
            throw new IllegalArgumentException(attribute.key() + ": " + value + " is below " + attribute.min());
        } else if (attribute.min().isEmpty()) {
            throw new IllegalArgumentException(attribute.key() + ": " + value + " is above " + attribute.max());
        }
        throw new IllegalArgumentException(attribute.key() + ": " + value + " is not within " + attribute.min() + " to " + attribute.max());
    }
}
