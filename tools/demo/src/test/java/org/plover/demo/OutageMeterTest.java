package org.plover.demo;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class OutageMeterTest {
    private static final long MILLI = 1_000_000;

    private final OutageMeter meter = new OutageMeter(2);

    private void operation(int connection, long sentMillis, long completedMillis) {
        meter.sent(connection, sentMillis * MILLI);
        meter.completed(connection, completedMillis * MILLI);
    }

    private Outage only(long nowMillis) {
        return meter.outages(nowMillis * MILLI).get(0);
    }

    @Test
    public void shouldReportTheSlowestConnection() {
        meter.mark("killed", 100 * MILLI);
        operation(0, 110, 150);
        operation(1, 110, 400);
        assertEquals(new Outage("killed", 300, 300, 290, 0), only(500));
    }

    @Test
    public void shouldCountAnOperationThatWasPendingAtTheMarkFromTheMarkOn() {
        meter.sent(0, 20 * MILLI);
        meter.mark("killed", 100 * MILLI);
        meter.completed(0, 350 * MILLI);
        assertEquals(new Outage("killed", 250, 250, 250, 0), only(500));
    }

    @Test
    public void shouldNotBeFooledByAReplyThatWasAlreadyOnItsWay() {
        meter.sent(0, 99 * MILLI);
        meter.mark("killed", 100 * MILLI);
        meter.completed(0, 101 * MILLI);
        operation(0, 111, 911);
        assertEquals(new Outage("killed", 800, 1, 800, 0), only(1_000));
    }

    @Test
    public void shouldIgnoreWaitsThatEndedBeforeTheMark() {
        operation(0, 0, 90);
        meter.mark("killed", 100 * MILLI);
        operation(0, 105, 110);
        assertEquals(new Outage("killed", 10, 10, 5, 0), only(500));
    }

    @Test
    public void shouldGiveALaterWaitToTheLaterMark() {
        meter.mark("first", 100 * MILLI);
        operation(0, 101, 102);
        meter.mark("second", 200 * MILLI);
        operation(0, 210, 900);
        assertEquals(new Outage("first", 2, 2, 1, 0), meter.outages(1_000 * MILLI).get(0));
        assertEquals(new Outage("second", 700, 700, 690, 0), meter.outages(1_000 * MILLI).get(1));
    }

    @Test
    public void shouldCloseTheWindowOfAMark() {
        meter.mark("killed", 0);
        operation(0, 1, 2);
        long after = OutageMeter.WINDOW_MILLIS + 1;
        operation(0, after, after + 5_000);
        assertEquals(2.0, only(after + 6_000).millis(), 0);
    }

    @Test
    public void shouldCountAWaitThatIsStillGoingOn() {
        meter.mark("killed", 100 * MILLI);
        meter.sent(0, 110 * MILLI);
        assertEquals(new Outage("killed", 390, 0, 390, 1), only(500));
        assertEquals(390 * MILLI, meter.pendingNanosMax(500 * MILLI));
    }

    @Test
    public void shouldCountAConnectionThatBrokeAfterTheMarkAsUnanswered() {
        meter.mark("killed", 100 * MILLI);
        meter.sent(0, 110 * MILLI);
        meter.broken(0);
        operation(1, 110, 120);
        assertEquals(new Outage("killed", 20, 20, 10, 1), only(500));
    }

    @Test
    public void shouldLeaveOutConnectionsThatWereBrokenBeforeTheMark() {
        meter.sent(0, 10 * MILLI);
        meter.broken(0);
        meter.mark("killed", 100 * MILLI);
        operation(1, 110, 120);
        assertEquals(0, only(500).unanswered());
        assertEquals(0, meter.pendingNanosMax(500 * MILLI));
    }
}
