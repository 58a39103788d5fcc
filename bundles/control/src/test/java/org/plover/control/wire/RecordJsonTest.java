package org.plover.control.wire;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.io.StringReader;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.Test;
import org.plover.api.status.Percentiles;
import org.plover.api.status.Role;
import org.plover.api.status.VerifyReport;
import org.plover.api.status.VmStatus;
import org.plover.control.FakeVm;

public class RecordJsonTest {
    public record Oddities(double ratio, String text, Thread thread) {
    }

    private final VmStatus status = FakeVm.status("redis", true, "All \"well\",\nsays the \u00fcberwacher");

    @Test
    public void shouldCarryEveryFieldOfAStatusThereAndBack() {
        JsonObject json = parse(RecordJson.toJson(status).toString());
        assertEquals(status, RecordJson.fromJson(VmStatus.class, json));
    }

    @Test
    public void shouldNameFieldsAsTheRecordDoes() {
        Set<String> names = new TreeSet<>(Arrays.stream(VmStatus.class.getRecordComponents()).map(RecordComponent::getName).toList());
        assertEquals(names, new TreeSet<>(RecordJson.toJson(status).keySet()));
        assertEquals(Role.PRIMARY.name(), RecordJson.toJson(status).getString("role"));
    }

    @Test
    public void shouldStayInOneLine() {
        assertEquals(-1, RecordJson.toJson(status).toString().indexOf('\n'));
    }

    @Test
    public void shouldWriteANumberThatIsNoneAsNull() {
        JsonObject json = RecordJson.toJson(new Percentiles(0, Double.NaN, Double.POSITIVE_INFINITY, 1));
        assertEquals(JsonValue.NULL, json.get("p50"));
        assertEquals(JsonValue.NULL, json.get("p99"));
        assertTrue(Double.isNaN(RecordJson.fromJson(Percentiles.class, json).p50()));
    }

    @Test
    public void shouldRefuseWhatHasNoFormInJson() {
        var failure = assertThrows(IllegalArgumentException.class,
                () -> RecordJson.toJson(new Oddities(1, null, Thread.currentThread())));
        assertTrue(failure.getMessage(), failure.getMessage().contains("java.lang.Thread"));
    }

    @Test
    public void shouldSayWhichFieldIsMissingOrWrong() {
        var missing = assertThrows(IllegalArgumentException.class,
                () -> RecordJson.fromJson(VerifyReport.class, parse("{\"epoch\":1,\"pagesCompared\":2,\"pagesDiffering\":0}")));
        assertTrue(missing.getMessage(), missing.getMessage().contains("lacks 'firstDiffering'"));
        var wrong = assertThrows(IllegalArgumentException.class, () -> RecordJson.fromJson(VerifyReport.class,
                parse("{\"epoch\":\"one\",\"pagesCompared\":2,\"pagesDiffering\":0,\"firstDiffering\":[]}")));
        assertTrue(wrong.getMessage(), wrong.getMessage().contains("wrong 'epoch'"));
    }

    @Test
    public void shouldIgnoreFieldsOfALaterVersion() {
        VerifyReport report = RecordJson.fromJson(VerifyReport.class,
                parse("{\"epoch\":1,\"pagesCompared\":2,\"pagesDiffering\":1,\"firstDiffering\":[7],\"news\":true}"));
        assertEquals(new VerifyReport(1, 2, 1, List.of(7)), report);
    }

    private static JsonObject parse(String text) {
        return Json.createReader(new StringReader(text)).readObject();
    }
}
