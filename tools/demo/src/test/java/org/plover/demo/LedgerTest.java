package org.plover.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.util.List;
import org.junit.Test;
import org.plover.demo.Ledger.Verdict;

public class LedgerTest {
    private final Ledger ledger = new Ledger("c0", 2);

    private void write(int key) {
        ledger.begin(key);
        ledger.acknowledge();
    }

    @Test
    public void shouldAcceptNothingInAKeyThatHasNeverBeenWritten() {
        assertEquals(Verdict.CURRENT, ledger.judge(0, null));
        assertEquals(Verdict.CORRUPT, ledger.judge(0, "1"));
    }

    @Test
    public void shouldAcceptOnlyTheLastAcknowledgedValue() {
        write(0);
        write(1);
        write(0);
        assertEquals(Verdict.CURRENT, ledger.judge(0, "3"));
        assertEquals(Verdict.STALE, ledger.judge(0, "1"));
        assertEquals(Verdict.STALE, ledger.judge(0, null));
        assertEquals(Verdict.CORRUPT, ledger.judge(0, "4"));
        assertEquals(Verdict.CORRUPT, ledger.judge(0, "x"));
    }

    @Test
    public void shouldAcceptBothOutcomesOfAWriteUnderWay() {
        write(0);
        ledger.begin(0);
        assertEquals(Verdict.CURRENT, ledger.judge(0, "1"));
        assertEquals(Verdict.CURRENT, ledger.judge(0, "2"));
        assertEquals("only in its own key", Verdict.CORRUPT, ledger.judge(1, "2"));
    }

    @Test
    public void shouldCountALostWriteOnceThoughKeyAndListBothMissIt() {
        write(0);
        write(0);
        ledger.auditKey(0, "1");
        ledger.auditKey(0, "1");
        ledger.auditList(List.of("1"));
        ledger.endOfList();
        assertEquals(1, ledger.lostWrites());
    }

    @Test
    public void shouldJudgeAListThatComesInParts() {
        for (int i = 0; i < 5; i++) {
            write(i % 2);
        }
        ledger.auditList(List.of("1", "3"));
        ledger.auditList(List.of("2", "3", "9"));
        ledger.endOfList();
        assertEquals("4 and 5", 2, ledger.lostWrites());
        assertEquals("3", 1, ledger.duplicatedWrites());
        assertEquals("2", 1, ledger.misorderedWrites());
        assertEquals("9", 1, ledger.corruptValues());
    }

    @Test
    public void shouldNotMissAWriteThatWasNeverAcknowledged() {
        write(0);
        ledger.begin(1);
        ledger.auditKey(0, "1");
        ledger.auditKey(1, null);
        ledger.auditList(List.of("1"));
        ledger.endOfList();
        assertEquals(0, ledger.lostWrites());
    }

    @Test
    public void shouldTakeAWriteOfUnknownOutcomeAsAcknowledgedOnceItWasFound() {
        write(0);
        ledger.begin(1);
        audit("1", "2");
        ledger.settle();
        assertEquals(2, ledger.acknowledgedWrites());
        assertEquals("it must stay there now", Verdict.STALE, ledger.judge(1, null));
    }

    @Test
    public void shouldLeaveAWriteOfUnknownOutcomeToBeMadeAgainIfItIsNotThere() {
        write(0);
        ledger.begin(1);
        audit("1");
        ledger.settle();
        assertEquals(1, ledger.acknowledgedWrites());
        assertEquals(2, ledger.unknownNumber());
        assertEquals(1, ledger.unknownKey());
    }

    @Test
    public void shouldNotCountWhatTwoAuditsFindTwice() {
        write(0);
        write(1);
        write(0);
        for (int i = 0; i < 2; i++) {
            audit("3", "2", "2", "9");
        }
        assertEquals("1", 1, ledger.lostWrites());
        assertEquals("2", 1, ledger.duplicatedWrites());
        assertEquals("2", 1, ledger.misorderedWrites());
        assertEquals("9", 1, ledger.corruptValues());
    }

    @Test
    public void shouldNotForgetAWriteThatWasMissingForAWhile() {
        write(0);
        write(0);
        audit("1");
        audit("1", "2");
        assertEquals(1, ledger.lostWrites());
    }

    private void audit(String... entries) {
        ledger.beginList();
        ledger.auditList(List.of(entries));
        ledger.endOfList();
    }

    @Test
    public void shouldRefuseTwoWritesAtOnce() {
        ledger.begin(0);
        assertThrows(IllegalStateException.class, () -> ledger.begin(1));
    }
}
