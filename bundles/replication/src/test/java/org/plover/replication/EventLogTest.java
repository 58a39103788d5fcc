package org.plover.replication;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.Test;
import org.plover.api.status.VmEvent;
import org.slf4j.LoggerFactory;

public class EventLogTest {
    private final AtomicLong millis = new AtomicLong(1_700_000_000_000L);
    private final List<VmEvent> told = new ArrayList<>();
    private final EventLog log = new EventLog(LoggerFactory.getLogger(EventLogTest.class), millis::get, told::add);

    @Test
    public void shouldTellAndRememberEachEventInOrder() {
        log.info("member-back", "connected with beta");
        millis.addAndGet(5);
        log.warn("member-lost", "lost beta: silent for 501 ms");
        assertEquals(List.of("member-back", "member-lost"), told.stream().map(VmEvent::kind).toList());
        assertEquals(told, log.since(0));
        assertEquals(told.subList(1, 2), log.since(told.get(0).sequence()));
        assertEquals(millis.get(), told.get(1).atMillis());
        assertEquals("lost beta: silent for 501 ms", told.get(1).text());
    }

    @Test
    public void shouldForgetTheOldestOnly() {
        for (int i = 0; i < EventLog.KEPT + 10; i++) {
            log.add("kind-" + i, "text");
        }
        List<VmEvent> kept = log.since(0);
        assertEquals(EventLog.KEPT, kept.size());
        assertEquals("kind-10", kept.get(0).kind());
        assertEquals("all were told", EventLog.KEPT + 10, told.size());
    }

    @Test
    public void shouldNotLetOneFaultThatRepeatsPushTheOthersOut() {
        log.add("failover", "beta leads view 2");
        for (int i = 0; i < 5000; i++) {
            log.add("warning", "a frame was dropped");
        }
        assertEquals(1 + EventLog.KIND_MAX, log.since(0).size());
        assertTrue(told.get(EventLog.KIND_MAX).text(), told.get(EventLog.KIND_MAX).text().contains("log only"));
        millis.addAndGet(EventLog.WINDOW_MILLIS);
        log.add("warning", "another one");
        assertEquals("another one", told.get(told.size() - 1).text());
    }

    @Test
    public void shouldCountOnOverARestart() {
        log.add("failover", "beta leads view 2");
        millis.addAndGet(1);
        EventLog later = new EventLog(LoggerFactory.getLogger(EventLogTest.class), millis::get, told::add);
        later.add("failover", "alpha leads view 3");
        assertTrue(told.get(1).sequence() > told.get(0).sequence());
    }
}
