package org.plover.demo.chaos;

import static org.junit.Assert.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.Test;

public class JudgeTest {
    private final List<String> log = new ArrayList<>();
    private final Judge judge = new Judge(log::add);

    @Test
    public void shouldJudgeEachKeyByItsKind() {
        take("I 1 0 0 SET r0.1 1000 0.1", "R 1 2000 +OK", "I 2 1 0 GET r0.1 3000", "R 2 4000 $0.1",
                "I 3 0 0 INCR n0.1 5000", "R 3 6000 :1", "I 4 1 0 APPEND s0.1.0 7000 000000004", "R 4 8000 :9");
        assertEquals(log.toString(), 0, judge.lost() + judge.stale() + judge.anomalies());
        assertEquals(4, judge.operations());
        take("I 5 0 0 GET r0.1 9000", "R 5 9500 _", "I 6 0 0 INCR n0.1 9600", "R 6 9700 :1", "I 7 0 0 GET s0.1.0 9800", "R 7 9900 $x");
        assertEquals(log.toString(), 2, judge.lost());
        assertEquals(log.toString(), 1, judge.anomalies());
    }

    @Test
    public void shouldCountABrokenConnectionAndTakeItsOperationForUnknown() {
        take("I 1 0 0 SET r0.1 1000 0.1", "B 0 0 2000 java.io.IOException: Connection reset", "I 2 1 0 GET r0.1 3000", "R 2 4000 _",
                "I 3 1 0 GET r0.1 5000", "R 3 6000 $0.1");
        assertEquals(log.toString(), 1, judge.anomalies());
        assertEquals(log.toString(), 0, judge.lost() + judge.stale());
    }

    @Test
    public void shouldBlameAnAnswerThatDoesNotComeOnce() {
        take("I 1 0 0 SET r0.1 1000 0.1", "I 2 1 0 GET r0.1 3000", "R 2 4000 _");
        judge.blameSilence(TimeUnit.SECONDS.toNanos(10));
        assertEquals(0, judge.anomalies());
        judge.blameSilence(TimeUnit.SECONDS.toNanos(100));
        judge.blameSilence(TimeUnit.SECONDS.toNanos(200));
        assertEquals(log.toString(), 1, judge.anomalies());
    }

    @Test
    public void shouldNotHoldANewGuestToWhatTheFormerOneKnew() {
        take("I 1 0 0 SET r0.1 1000 0.1", "R 1 2000 +OK", "I 2 0 0 GET r0.1 2500");
        judge.beginReign(1);
        take("B 0 0 2600 closed", "R 2 2700 _", "I 3 0 1 GET r1.1 3000", "R 3 4000 _");
        assertEquals(log.toString(), 0, judge.lost() + judge.stale() + judge.anomalies());
    }

    @Test
    public void shouldHoldAGuestThatWasBootedFromItsDiskToWhatWasAcknowledged() {
        take("I 1 0 0 SET r0.1 1000 0.1", "R 1 2000 +OK", "I 2 0 0 SET r0.2 2500 0.2", "X 1 2600", "B 0 0 2700 closed",
                "I 3 0 1 GET r0.2 3000", "R 3 4000 _");
        assertEquals(log.toString(), 0, judge.lost() + judge.stale() + judge.anomalies());
        take("I 4 0 1 GET r0.1 5000", "R 4 6000 _");
        assertEquals(log.toString(), 1, judge.lost());
        assertEquals("a restart is not an answer", 6000, judge.clock().lastNanos());
        assertEquals("and what comes after it is told apart", 4000, judge.clock().firstNanos());
    }

    @Test
    public void shouldMeasureTheLongestTimeWithoutAnyAnswer() {
        AckClock clock = judge.clock();
        clock.acknowledged(ms(0), ms(10));
        clock.begin();
        clock.acknowledged(ms(5), ms(30));
        clock.acknowledged(ms(20), ms(330));
        clock.acknowledged(ms(320), ms(340));
        assertEquals(300, clock.outageMillis(ms(350)));
        assertEquals(310, clock.longestWaitMillis());
        assertEquals("a silence that lasts counts", 460, clock.outageMillis(ms(800)));
    }

    private static long ms(long millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private void take(String... lines) {
        for (String line : lines) {
            judge.take(line);
        }
    }
}
