package org.plover.rest;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.Test;
import org.plover.api.control.UserAccount;
import org.plover.api.health.Finding;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.Percentiles;
import org.plover.api.status.VmEvent;
import org.plover.api.status.VmStatus;
import org.plover.control.domain.Plan;
import org.plover.control.wire.Operation;
import org.plover.control.wire.PidSettings;
import org.plover.control.wire.Provider;
import org.plover.control.wire.Setting;
import org.yaml.snakeyaml.Yaml;

/** The description that is served and the code say the same. */
public class OpenApiTest {
    private static final List<Class<? extends Record>> RECORDS = List.of(VmStatus.class, MemberStatus.class, Percentiles.class, EpochRecord.class,
            VmEvent.class, Finding.class, UserAccount.class, Operation.class, PidSettings.class, Setting.class, Provider.class, Plan.class, Plan.PlannedFile.class);
    /** Described by hand: they are no records. */
    private static final Set<String> OTHERS = Set.of("Error", "Said", "Me", "Order", "Described", "NewUser", "NewPassword");

    private final Map<String, Object> description = load();

    @Test
    public void shouldDescribeEveryPathAndMethodThatThereIsAndNoOther() {
        Set<String> described = new TreeSet<>();
        map(description, "paths").forEach((path, methods) ->
                cast(methods).keySet().forEach(method -> described.add(method.toUpperCase(Locale.ROOT) + " " + path)));
        Set<String> served = new TreeSet<>(Set.of("GET /me", "GET /" + RestServlet.DESCRIPTION));
        Route.ALL.forEach(route -> served.add(route.method() + " " + route.path()));
        assertEquals(served, described);
        assertEquals(RestServlet.BASE, ((List<?>) description.get("servers")).stream().map(s -> cast(s).get("url")).findFirst().orElseThrow());
    }

    @Test
    public void shouldDescribeEveryFieldOfEveryRecord() {
        Map<String, Object> schemas = map(map(description, "components"), "schemas");
        Set<String> names = new TreeSet<>(OTHERS);
        for (Class<? extends Record> type : RECORDS) {
            names.add(type.getSimpleName());
            Map<String, Object> schema = map(schemas, type.getSimpleName());
            List<String> fields = Arrays.stream(type.getRecordComponents()).map(RecordComponent::getName).toList();
            assertEquals(type.getSimpleName(), fields, List.copyOf(map(schema, "properties").keySet()));
            assertEquals(type.getSimpleName(), fields, schema.get("required"));
            for (RecordComponent component : type.getRecordComponents()) {
                checkType(type.getSimpleName() + "." + component.getName(), component.getType(),
                        map(map(schema, "properties"), component.getName()));
            }
        }
        assertEquals(names, new TreeSet<>(schemas.keySet()));
    }

    private static void checkType(String what, Class<?> type, Map<String, Object> schema) {
        if (type.isRecord()) {
            assertEquals(what, "#/components/schemas/" + type.getSimpleName(), schema.get("$ref"));
        } else if (type.isEnum()) {
            assertEquals(what, Arrays.stream(type.getEnumConstants()).map(constant -> ((Enum<?>) constant).name()).toList(), schema.get("enum"));
        } else if (type != jakarta.json.JsonValue.class) {
            Map<Class<?>, String> types = Map.of(String.class, "string", int.class, "integer", long.class, "integer", boolean.class, "boolean",
                    double.class, "number", List.class, "array");
            assertEquals(what, types.get(type), schema.get("type"));
        }
    }

    @Test
    public void shouldReferToNothingThatIsNotThere() {
        Set<String> wanted = new TreeSet<>();
        collectReferences(description, wanted);
        assertTrue(wanted.toString(), wanted.size() > 10);
        for (String reference : wanted) {
            Map<String, Object> place = description;
            for (String step : reference.substring(2).split("/")) {
                assertTrue(reference, place.containsKey(step));
                place = map(place, step);
            }
        }
    }

    private static void collectReferences(Object node, Set<String> found) {
        if (node instanceof Map<?, ?> map) {
            if (map.get("$ref") instanceof String reference) {
                found.add(reference);
            }
            map.values().forEach(value -> collectReferences(value, found));
        } else if (node instanceof List<?> list) {
            list.forEach(value -> collectReferences(value, found));
        }
    }

    private static Map<String, Object> load() {
        try (InputStream in = RestServlet.class.getResourceAsStream(RestServlet.DESCRIPTION)) {
            return cast(new Yaml().load(in));
        } catch (IOException e) {
            throw new AssertionError("the description cannot be read", e);
        }
    }

    private static Map<String, Object> map(Map<String, Object> parent, String key) {
        return cast(parent.get(key));
    }

    private static Map<String, Object> cast(Object node) {
        Map<String, Object> map = new LinkedHashMap<>();
        ((Map<?, ?>) node).forEach((key, value) -> map.put(key.toString(), value));
        return map;
    }
}
