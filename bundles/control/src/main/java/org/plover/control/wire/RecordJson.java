package org.plover.control.wire;

import jakarta.json.JsonArray;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Records as JSON and back: an object whose fields are the record's components under their own names. The one place where it
 * is decided what status looks like in JSON.
 *
 * <p>Components may be strings, primitive numbers and booleans, enums (by name), records, JSON as it is, and lists of these. A number that is
 * none ({@code NaN} or infinite) becomes {@code null}, which JSON can carry. Stateless, thread-safe.
 */
public final class RecordJson {
    // Json.create...() looks its provider up on every call; once is enough.
    private static final JsonProvider JSON = JsonProvider.provider();

    private RecordJson() {
    }

    /**
     * The record as a JSON object.
     *
     * @throws IllegalArgumentException if it holds something that has no form in JSON here
     */
    public static JsonObject toJson(Record record) {
        JsonObjectBuilder object = JSON.createObjectBuilder();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            object.add(component.getName(), value(read(component, record)));
        }
        return object.build();
    }

    /** The records as a JSON array, in their order. */
    public static JsonArray toJson(Collection<? extends Record> records) {
        return array(records);
    }

    /**
     * The record that a JSON object describes. Fields that the record does not know are ignored.
     *
     * @throws IllegalArgumentException if a component is missing or of another type
     */
    public static <T extends Record> T fromJson(Class<T> type, JsonObject json) {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            String name = components[i].getName();
            JsonValue value = json.get(name);
            if (value == null) {
                throw new IllegalArgumentException(type.getSimpleName() + " lacks '" + name + "': " + json);
            }
            types[i] = components[i].getType();
            try {
                values[i] = object(components[i].getGenericType(), value);
            } catch (ClassCastException e) {
                throw new IllegalArgumentException(
                        type.getSimpleName() + " has a wrong '" + name + "': " + value, e);
            }
        }
        try {
            Constructor<T> constructor = type.getDeclaredConstructor(types);
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException(type.getSimpleName() + " cannot be made of " + json, e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(type.getName() + " is not a public record", e);
        }
    }

    /** The records that the objects of a JSON array describe. */
    public static <T extends Record> List<T> fromJson(Class<T> type, List<JsonValue> json) {
        List<T> records = new ArrayList<>(json.size());
        for (JsonValue value : json) {
            records.add(fromJson(type, value.asJsonObject()));
        }
        return records;
    }

    private static JsonValue value(Object value) {
        if (value == null) {
            return JsonValue.NULL;
        } else if (value instanceof JsonValue json) {
            return json;
        } else if (value instanceof String text) {
            return JSON.createValue(text);
        } else if (value instanceof Enum<?> constant) {
            return JSON.createValue(constant.name());
        } else if (value instanceof Boolean truth) {
            return truth ? JsonValue.TRUE : JsonValue.FALSE;
        } else if (value instanceof Double || value instanceof Float) {
            double number = ((Number) value).doubleValue();
            return Double.isFinite(number) ? JSON.createValue(number) : JsonValue.NULL;
        } else if (value instanceof Number number) {
            return JSON.createValue(number.longValue());
        } else if (value instanceof Record record) {
            return toJson(record);
        } else if (value instanceof Collection<?> collection) {
            return array(collection);
        }
        throw new IllegalArgumentException("no JSON form for a " + value.getClass().getName());
    }

    private static JsonArray array(Collection<?> values) {
        JsonArrayBuilder array = JSON.createArrayBuilder();
        values.forEach(element -> array.add(value(element)));
        return array.build();
    }

    private static Object read(RecordComponent component, Record record) {
        try {
            return component.getAccessor().invoke(record);
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("cannot read " + component, e);
        }
    }

    private static Object object(Type type, JsonValue value) {
        if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
            Type element = list.getActualTypeArguments()[0];
            return value.asJsonArray().stream().map(v -> object(element, v)).toList();
        }
        Class<?> wanted = (Class<?>) type;
        if (wanted == double.class) {
            return value == JsonValue.NULL ? Double.NaN : ((JsonNumber) value).doubleValue();
        } else if (wanted == int.class || wanted == Integer.class) {
            return Math.toIntExact(((JsonNumber) value).longValue());
        } else if (wanted == long.class || wanted == Long.class) {
            return ((JsonNumber) value).longValue();
        } else if (wanted == boolean.class) {
            if (value != JsonValue.TRUE && value != JsonValue.FALSE) {
                throw new ClassCastException("not a boolean");
            }
            return value == JsonValue.TRUE;
        } else if (wanted == JsonValue.class) {
            return value;
        } else if (value == JsonValue.NULL) {
            return null;
        } else if (wanted == String.class) {
            return ((JsonString) value).getString();
        } else if (wanted.isEnum()) {
            return constant(wanted, ((JsonString) value).getString());
        } else if (wanted.isRecord()) {
            return fromJson(wanted.asSubclass(Record.class), value.asJsonObject());
        }
        throw new IllegalArgumentException("no JSON form for a " + wanted.getName());
    }

    private static Object constant(Class<?> type, String name) {
        for (Object constant : type.getEnumConstants()) {
            if (((Enum<?>) constant).name().equals(name)) {
                return constant;
            }
        }
        throw new IllegalArgumentException(type.getSimpleName() + " has no '" + name + "'");
    }
}
