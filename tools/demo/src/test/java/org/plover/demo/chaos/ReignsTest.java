package org.plover.demo.chaos;

import static org.junit.Assert.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.Test;

public class ReignsTest {
    private static final long MS = 1000;

    private final Reigns reigns = new Reigns();
    private final List<Reigns.Leadership> leaderships = new ArrayList<>();
    private final List<Reigns.Sender> senders = new ArrayList<>();

    @Test
    public void shouldAcceptATakeover() {
        leads("a", 1, 0);
        leads("b", 2, 500);
        sends("a", 100, 400);
        sends("b", 501, 600);
        assertEquals(List.of(), judge());
    }

    @Test
    public void shouldSeeTheFormerPrimarySpeakAgain() {
        leads("a", 1, 0);
        leads("b", 2, 500);
        sends("a", 100, 400);
        sends("b", 501);
        sends("a", 502);
        sends("b", 503);
        assertEquals(List.of("a@502"), judge());
    }

    @Test
    public void shouldSeeTheFormerPrimarySpeakAgainInALaterLook() {
        leads("a", 1, 0);
        sends("a", 100);
        assertEquals(List.of(), judge());
        leads("b", 2, 500);
        sends("b", 501);
        assertEquals(List.of(), judge());
        sends("a", 502, 503);
        assertEquals(List.of("a@502", "a@503"), judge());
    }

    @Test
    public void shouldAcceptWhoHasTakenTheLeadBack() {
        leads("a", 1, 0);
        leads("b", 2, 500);
        leads("a", 3, 800);
        sends("a", 100);
        sends("b", 501);
        sends("a", 801);
        assertEquals(List.of(), judge());
    }

    @Test
    public void shouldNotAcceptALeadershipFromAfterTheFrame() {
        leads("a", 1, 0);
        leads("b", 2, 500);
        sends("a", 100);
        sends("b", 450);
        assertEquals(List.of("b@450"), judge());
    }

    @Test
    public void shouldCountTheViewsThatOneHostLedInSuccession() {
        leads("a", 1, 0);
        leads("a", 5, 300);
        leads("b", 4, 500);
        sends("a", 100, 400);
        sends("b", 501);
        assertEquals(List.of("b@501"), judge());
    }

    @Test
    public void shouldNotAcceptAHostThatNeverLed() {
        sends("b", 5);
        assertEquals(List.of("b@5"), judge());
    }

    private void leads(String host, long view, long millis) {
        leaderships.add(new Reigns.Leadership(host, view, millis * MS));
    }

    private void sends(String host, long... millis) {
        for (long m : millis) {
            senders.add(new Reigns.Sender(host, m * MS));
        }
    }

    private List<String> judge() {
        List<String> seen = reigns.judge(senders, leaderships).stream().map(s -> s.host() + "@" + s.epochMicros() / MS).toList();
        senders.clear();
        return seen;
    }
}
