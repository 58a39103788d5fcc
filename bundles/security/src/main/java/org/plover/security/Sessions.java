package org.plover.security;

import java.security.SecureRandom;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Logins of the login page, kept in memory only: a restart ends them. Thread-safe. */
final class Sessions {
    private static final int SESSIONS_MAX = 1000;
    private static final int ID_BYTES = 32;

    /**
     * @param id    what the cookie says
     * @param token what requests that change something have to say besides
     * @param user  who logged in, as stored then: a change of password or role makes another one
     */
    record Session(String id, String token, UserFile.User user) {
    }

    private record Entry(Session session, long begunNanos, long usedNanos) {
    }

    private final Supplier<SecuritySettings> settings;
    private final LongSupplier nanoTime;
    private final SecureRandom random = new SecureRandom();
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    Sessions(Supplier<SecuritySettings> settings, LongSupplier nanoTime) {
        this.settings = settings;
        this.nanoTime = nanoTime;
    }

    synchronized Session begin(UserFile.User user) {
        long now = nanoTime.getAsLong();
        entries.values().removeIf(entry -> isOver(entry, now));
        var oldest = entries.keySet().iterator();
        while (entries.size() >= SESSIONS_MAX) {
            oldest.next();
            oldest.remove();
        }
        Session session = new Session(random(), random(), user);
        entries.put(session.id(), new Entry(session, now, now));
        return session;
    }

    /** The session of that cookie, or null if there is none any more. */
    synchronized Session use(String id) {
        Entry entry = entries.get(id);
        long now = nanoTime.getAsLong();
        if (entry == null) {
            return null;
        } else if (isOver(entry, now)) {
            entries.remove(id);
            return null;
        }
        entries.put(id, new Entry(entry.session(), entry.begunNanos(), now));
        return entry.session();
    }

    synchronized void end(String id) {
        entries.remove(id);
    }

    private boolean isOver(Entry entry, long nowNanos) {
        SecuritySettings now = settings.get();
        return nowNanos - entry.usedNanos() > TimeUnit.MINUTES.toNanos(now.sessionIdleMinutes())
                || nowNanos - entry.begunNanos() > TimeUnit.HOURS.toNanos(now.sessionHoursMax());
    }

    private String random() {
        byte[] octets = new byte[ID_BYTES];
        random.nextBytes(octets);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(octets);
    }
}
