package org.plover.demo.chaos;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.Test;

public class KeyHistoryTest {
    private static final String A = "000000001";
    private static final String B = "000000002";
    private static final String C = "000000003";

    private final List<String> faults = new ArrayList<>();
    private final Map<Integer, Operation> open = new HashMap<>();
    private KeyHistory history;
    private long time;
    private int counted;

    // --- registers ---

    @Test
    public void shouldAcceptReadsOfTheLatestWrite() {
        given(new Register());
        get(1, null);
        set(1, "x");
        get(2, "x");
        set(2, "y");
        get(1, "y");
        explained();
    }

    @Test
    public void shouldAcceptEitherValueWhileAWriteIsOpen() {
        given(new Register());
        set(1, "x");
        call(1, Operation.Verb.SET, "y");
        get(2, "x");
        get(2, "y");
        answer(1, "+OK");
        get(2, "y");
        explained();
    }

    @Test
    public void shouldAcceptConcurrentWritesInTheOrderThatReadsShow() {
        given(new Register());
        call(1, Operation.Verb.SET, "x");
        call(2, Operation.Verb.SET, "y");
        answer(2, "+OK");
        answer(1, "+OK");
        get(3, "y");
        get(3, "y");
        explained();
    }

    @Test
    public void shouldRejectConcurrentWritesThatReadsShowInBothOrders() {
        given(new Register());
        call(1, Operation.Verb.SET, "x");
        call(2, Operation.Verb.SET, "y");
        answer(2, "+OK");
        answer(1, "+OK");
        get(3, "y");
        get(3, "x");
        assertEquals(List.of("STALE GET $x"), faults);
    }

    @Test
    public void shouldCallARevertedReadStale() {
        given(new Register());
        set(1, "x");
        set(1, "y");
        get(2, "y");
        get(3, "x");
        assertEquals(List.of("STALE GET $x"), faults);
    }

    @Test
    public void shouldCallAnAcknowledgedWriteThatNobodyEverSawLost() {
        given(new Register());
        set(1, "x");
        set(1, "y");
        get(2, "x");
        assertEquals(List.of("LOST GET $x"), faults);
    }

    @Test
    public void shouldCallAVanishedKeyLost() {
        given(new Register());
        set(1, "x");
        get(2, "x");
        get(2, null);
        assertEquals(List.of("LOST GET _"), faults);
    }

    @Test
    public void shouldCallAValueThatNobodyWroteAnAnomaly() {
        given(new Register());
        set(1, "x");
        get(2, "z");
        assertEquals(List.of("ANOMALY GET $z"), faults);
    }

    @Test
    public void shouldCallAValueThatIsReadBeforeItIsWrittenAnAnomaly() {
        given(new Register());
        set(1, "x");
        get(2, "y");
        set(1, "y");
        assertEquals(List.of("ANOMALY GET $y"), faults);
    }

    @Test
    public void shouldCallAnErrorAnAnomaly() {
        given(new Register());
        call(1, Operation.Verb.SET, "x");
        answer(1, "-OOM_command_not_allowed");
        assertEquals(List.of("ANOMALY SET -OOM_command_not_allowed"), faults);
    }

    @Test
    public void shouldReportOneFaultOnceAndFindTheNext() {
        given(new Register());
        set(1, "x");
        set(1, "y");
        get(2, "x");
        get(2, "x");
        set(1, "z");
        get(2, "z");
        get(2, "x");
        assertEquals(List.of("LOST GET $x", "STALE GET $x"), faults);
    }

    @Test
    public void shouldLetAnUnansweredWriteHappenLateOrNever() {
        given(new Register());
        set(1, "x");
        call(2, Operation.Verb.SET, "y");
        giveUp(2);
        get(3, "x");
        get(3, "x");
        get(3, "y");
        get(3, "y");
        explained();
        get(3, "x");
        assertEquals(List.of("STALE GET $x"), faults);
    }

    // --- counters ---

    @Test
    public void shouldAcceptIncrementsThatOverlap() {
        given(new Counter());
        call(1, Operation.Verb.INCR, "");
        call(2, Operation.Verb.INCR, "");
        call(3, Operation.Verb.GET, "");
        answer(2, ":1");
        answer(3, "$2");
        answer(1, ":2");
        explained();
    }

    @Test
    public void shouldCallAnIncrementThatIsForgottenLost() {
        given(new Counter());
        incr(1, 1);
        incr(2, 2);
        incr(1, 2);
        assertEquals(List.of("LOST INCR :2"), faults);
    }

    @Test
    public void shouldCallAnIncrementThatHappenedTwiceAnAnomaly() {
        given(new Counter());
        incr(1, 1);
        incr(1, 3);
        assertEquals(List.of("ANOMALY INCR :3"), faults);
    }

    @Test
    public void shouldCallACountThatGoesBackStale() {
        given(new Counter());
        incr(1, 1);
        incr(1, 2);
        get(2, "1");
        assertEquals(List.of("STALE GET $1"), faults);
    }

    @Test
    public void shouldAllowAnUnansweredIncrementOnceOnly() {
        given(new Counter());
        incr(1, 1);
        call(2, Operation.Verb.INCR, "");
        giveUp(2);
        incr(1, 3);
        explained();
        incr(1, 5);
        assertEquals(List.of("ANOMALY INCR :5"), faults);
    }

    // --- strings ---

    @Test
    public void shouldAcceptWordsInTheOrderTheirLengthsShow() {
        given(new Appended());
        call(1, Operation.Verb.APPEND, A);
        call(2, Operation.Verb.APPEND, B);
        answer(1, ":18");
        answer(2, ":9");
        get(3, B + A);
        explained();
    }

    @Test
    public void shouldCallAWordThatIsMissingLost() {
        given(new Appended());
        append(1, A, 9);
        append(1, B, 18);
        append(1, C, 27);
        get(2, A + C);
        assertEquals(List.of("LOST GET $" + A + C), faults);
    }

    @Test
    public void shouldCallAWordThatIsThereTwiceAnAnomaly() {
        given(new Appended());
        append(1, A, 9);
        get(2, A + A);
        assertEquals(List.of("ANOMALY GET $" + A + A), faults);
    }

    @Test
    public void shouldCallAnotherOrderOfWordsAnAnomaly() {
        given(new Appended());
        append(1, A, 9);
        append(1, B, 18);
        get(2, B + A);
        assertEquals(List.of("ANOMALY GET $" + B + A), faults);
    }

    @Test
    public void shouldCallAShorterStringStale() {
        given(new Appended());
        append(1, A, 9);
        append(1, B, 18);
        get(2, A);
        assertEquals(List.of("STALE GET $" + A), faults);
    }

    @Test
    public void shouldCallAStringThatBeganAnewLost() {
        given(new Appended());
        append(1, A, 9);
        append(1, B, 9);
        assertEquals(List.of("LOST APPEND :9"), faults);
    }

    // --- at length ---

    @Test
    public void shouldExplainAnyHistoryOfARealRegisterWithFewConfigurations() {
        for (int seed = 0; seed < 20; seed++) {
            given(new Register());
            int most = runRandomly(new SplittableRandom(seed), -1);
            explained();
            assertFalse(history.isUndecided());
            assertTrue("configurations: " + most, most < 5_000);
        }
    }

    @Test
    public void shouldFindEveryReadThatIsFarOutOfDate() {
        for (int seed = 0; seed < 20; seed++) {
            faults.clear();
            given(new Register());
            runRandomly(new SplittableRandom(seed), 500);
            assertEquals("seed " + seed, 1, faults.size());
        }
    }

    /** Eight clients at a register; one read goes wrong if {@code faultAt} is not negative. The most configurations at one time. */
    private int runRandomly(SplittableRandom random, int faultAt) {
        String[] state = {null};
        List<String> former = new ArrayList<>();
        Map<Integer, String> readsOf = new HashMap<>();
        int most = 0;
        for (int step = 0, toFail = faultAt; step < 2_000; step++) {
            int client = random.nextInt(8);
            Operation operation = open.get(client);
            if (operation == null) {
                boolean write = random.nextBoolean();
                call(client, write ? Operation.Verb.SET : Operation.Verb.GET, write ? "v" + step : "");
                readsOf.remove(client);
            } else if (!readsOf.containsKey(client)) {
                // It happens now, and is answered later.
                if (operation.verb == Operation.Verb.SET) {
                    state[0] = operation.argument;
                    former.add(state[0]);
                }
                boolean fails = toFail >= 0 && step >= toFail && operation.verb == Operation.Verb.GET && former.size() > 50;
                toFail = fails ? -1 : toFail;
                readsOf.put(client, operation.verb == Operation.Verb.SET ? "+OK" : fails ? "$" + former.get(former.size() - 50)
                        : state[0] == null ? "_" : "$" + state[0]);
            } else {
                answer(client, readsOf.remove(client));
            }
            most = Math.max(most, history.configurations());
        }
        open.clear();
        return most;
    }

    // --- the service was started again ---

    @Test
    public void shouldAcceptAnUnansweredWriteOnlyIfItHappenedBeforeTheRestart() {
        given(new Register());
        set(1, "x");
        call(1, Operation.Verb.SET, "y");
        giveUp(1);
        history.restarted();
        get(2, "y");
        get(2, "y");
        explained();

        given(new Register());
        set(1, "x");
        call(1, Operation.Verb.SET, "y");
        giveUp(1);
        history.restarted();
        get(2, "x");
        get(2, "x");
        explained();
        get(2, "y");
        assertEquals("what had not happened by then never will", 1, faults.size());
    }

    @Test
    public void shouldReportAnAcknowledgedWriteThatARestartHasUndone() {
        given(new Register());
        set(1, "x");
        set(1, "y");
        history.restarted();
        get(2, "x");
        assertEquals(List.of("LOST GET $x"), faults);
    }

    @Test
    public void shouldReportThatARestartHasUndoneWhatWasReadFromAnUnansweredWrite() {
        given(new Register());
        set(1, "x");
        call(1, Operation.Verb.SET, "y");
        get(2, "y");
        giveUp(1);
        history.restarted();
        get(2, "x");
        assertEquals(1, faults.size());
    }

    @Test
    public void shouldNotRememberUnansweredOperationsBeyondARestart() {
        given(new Counter());
        for (int restart = 0; restart < 40; restart++) {
            for (int client = 1; client <= 4; client++) {
                call(client, Operation.Verb.INCR, "");
            }
            for (int client = 1; client <= 4; client++) {
                giveUp(client);
            }
            history.restarted();
            int happened = restart % 5;
            call(5, Operation.Verb.GET, "");
            answer(5, (counted += happened) == 0 ? "_" : "$" + counted);
        }
        explained();
        assertFalse(history.isUndecided());
        assertEquals(1, history.configurations());
    }

    private void given(Model model) {
        history = new KeyHistory(model, (operation, fault) -> faults.add(fault + " " + operation.verb + " " + operation.result));
    }

    private void call(int client, Operation.Verb verb, String argument) {
        Operation operation = new Operation(++time, client, verb, "k", argument, time);
        open.put(client, operation);
        history.called(operation);
    }

    private void answer(int client, String answer) {
        Operation operation = open.remove(client);
        operation.answer(answer, ++time);
        history.answered(operation);
    }

    private void giveUp(int client) {
        open.remove(client).outcome = Operation.Outcome.UNKNOWN;
        history.gaveUp();
    }

    private void set(int client, String value) {
        call(client, Operation.Verb.SET, value);
        answer(client, "+OK");
    }

    private void get(int client, String value) {
        call(client, Operation.Verb.GET, "");
        answer(client, value == null ? "_" : "$" + value);
    }

    private void incr(int client, long answer) {
        call(client, Operation.Verb.INCR, "");
        answer(client, ":" + answer);
    }

    private void append(int client, String word, int length) {
        call(client, Operation.Verb.APPEND, word);
        answer(client, ":" + length);
    }

    private void explained() {
        assertEquals(List.of(), faults);
    }
}
