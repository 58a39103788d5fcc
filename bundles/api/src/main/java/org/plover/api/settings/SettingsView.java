package org.plover.api.settings;

import java.lang.annotation.Annotation;
import java.lang.reflect.Array;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A configuration seen through the annotation type that a component gets, as declarative services would show it to the component;
 * for a {@link SettingsCheck}, which has no component instance to try it on.
 */
public final class SettingsView {
    private SettingsView() {
    }

    /**
     * An instance of the annotation type with these values; keys that are absent have the annotation's defaults.
     *
     * @throws IllegalArgumentException if a value is of no type that its key could have; the message names key and value
     */
    public static <A extends Annotation> A of(Class<A> type, Map<String, ?> values) {
        Map<String, Object> answers = new HashMap<>();
        for (Method method : type.getDeclaredMethods()) {
            if (method.getParameterCount() == 0 && !method.isSynthetic()) {
                Object given = values.get(key(method.getName()));
                answers.put(method.getName(), given == null ? absent(method) : converted(key(method.getName()), given, method.getReturnType()));
            }
        }
        InvocationHandler handler = (self, method, arguments) -> answers.containsKey(method.getName()) && method.getParameterCount() == 0
                ? answers.get(method.getName())
                : switch (method.getName()) {
                    case "annotationType" -> type;
                    case "hashCode" -> System.identityHashCode(self);
                    case "equals" -> self == arguments[0];
                    default -> type.getSimpleName() + answers;
                };
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /** As declarative services map a method's name to a key (Compendium 112.8.2.1), as far as ours need it. */
    private static String key(String method) {
        return method.replace("_", ".");
    }

    private static Object absent(Method method) {
        if (method.getDefaultValue() != null) {
            return method.getDefaultValue();
        }
        Class<?> type = method.getReturnType();
        return type.isArray() ? Array.newInstance(type.getComponentType(), 0) : type.isPrimitive() ? Array.get(Array.newInstance(type, 1), 0) : null;
    }

    private static Object converted(String key, Object value, Class<?> type) {
        if (!type.isArray()) {
            List<?> one = elements(value);
            return one.isEmpty() ? Array.get(Array.newInstance(type, 1), 0) : single(key, one.get(0), type);
        }
        List<?> elements = elements(value);
        Object array = Array.newInstance(type.getComponentType(), elements.size());
        for (int i = 0; i < elements.size(); i++) {
            Array.set(array, i, single(key, elements.get(i), type.getComponentType()));
        }
        return array;
    }

    private static List<?> elements(Object value) {
        if (value instanceof Object[] array) {
            return Arrays.asList(array);
        }
        return value instanceof Collection<?> list ? List.copyOf(list) : List.of(value);
    }

    private static Object single(String key, Object value, Class<?> type) {
        String text = value.toString().trim();
        try {
            if (type == int.class) {
                return value instanceof Number number ? Math.toIntExact(number.longValue()) : Integer.parseInt(text);
            } else if (type == long.class) {
                return value instanceof Number number ? number.longValue() : Long.parseLong(text);
            } else if (type == double.class) {
                return Double.parseDouble(text);
            } else if (type == boolean.class) {
                return Boolean.parseBoolean(text);
            }
            return value.toString();
        } catch (NumberFormatException | ArithmeticException e) {
            throw new IllegalArgumentException(wrongNumber(key, text), e);
        }
    }

    /** The sentence for a value that should be a whole number and is none, or is too large to be one. */
    public static String wrongNumber(String key, String value) {
        return key + ": '" + value + "' is not a whole number that fits";
    }
}
