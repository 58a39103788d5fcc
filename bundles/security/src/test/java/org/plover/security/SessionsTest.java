package org.plover.security;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;

import java.util.concurrent.TimeUnit;
import org.junit.Test;
import org.plover.api.control.AccessRole;

public class SessionsTest {
    private final UserFile.User vera = new UserFile.User("vera", AccessRole.VIEWER, PasswordHash.OF_NOBODY);
    private long now;
    private final Sessions sessions = new Sessions(() -> SecuritySettings.DEFAULTS, () -> now);

    @Test
    public void shouldGiveEachSessionItsOwnSecrets() {
        Sessions.Session one = sessions.begin(vera);
        Sessions.Session other = sessions.begin(vera);
        assertNotEquals(one.id(), other.id());
        assertNotEquals(one.token(), other.token());
        assertEquals(one, sessions.use(one.id()));
        sessions.end(one.id());
        assertNull(sessions.use(one.id()));
        assertNull(sessions.use("guessed"));
        assertNotNull(sessions.use(other.id()));
    }

    @Test
    public void shouldEndASessionThatIsNotUsedOrTooOld() {
        Sessions.Session idle = sessions.begin(vera);
        now += TimeUnit.MINUTES.toNanos(31);
        assertNull(sessions.use(idle.id()));
        Sessions.Session busy = sessions.begin(vera);
        for (int i = 0; i < 12 * 3; i++) {
            now += TimeUnit.MINUTES.toNanos(20);
            assertNotNull(sessions.use(busy.id()));
        }
        now += TimeUnit.MINUTES.toNanos(1);
        assertNull(sessions.use(busy.id()));
    }
}
