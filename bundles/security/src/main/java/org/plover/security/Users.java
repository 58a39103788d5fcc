package org.plover.security;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.plover.api.control.AccessRole;
import org.plover.api.control.UserAccount;
import org.plover.api.control.UserDirectory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The users, and whether a password is right. Thread-safe. */
final class Users implements UserDirectory {
    static final String FIRST = "plover";
    static final String FIRST_PASSWORD_FILE = "console-password";
    static final int PASSWORD_CHARS_MIN = 10;
    static final int PASSWORD_CHARS_MAX = 1024;

    private static final Logger LOG = LoggerFactory.getLogger(Users.class);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]{0,63}");

    /** What came of a login: the user, or nobody and how long to wait before the next attempt. */
    record Verdict(UserFile.User user, long waitMillis) {
    }

    private final Path data;
    private final UserFile file;
    private final Supplier<SecuritySettings> settings;
    private final LongSupplier nanoTime;
    private final Lockout names = new Lockout();
    private final Lockout addresses = new Lockout();
    /** The last right password of each user, keyed and hashed: a program sends it with each request. */
    private final Map<String, byte[]> right = new ConcurrentHashMap<>();
    private final Tokens cacheKey = new Tokens();
    /** Strangers must not take more than one processor by guessing. */
    private final Semaphore hashing = new Semaphore(1);
    private volatile Map<String, UserFile.User> users;

    /**
     * Reads the users. At the first start there is the first administrator, with the password that the launcher has made.
     *
     * @throws IOException if they cannot be read or stored; the message says what to do
     */
    Users(Path data, Supplier<SecuritySettings> settings, LongSupplier nanoTime) throws IOException {
        this.data = data;
        this.settings = settings;
        this.nanoTime = nanoTime;
        file = new UserFile(data.resolve(UserFile.NAME));
        users = file.exists() ? file.read() : first();
    }

    private Map<String, UserFile.User> first() throws IOException {
        Path password = data.resolve(FIRST_PASSWORD_FILE);
        if (!Files.exists(password)) {
            throw new IOException("there are no users in " + data + " and no " + FIRST_PASSWORD_FILE + " for the first one; start the appliance by 'plover run'");
        }
        String text = Files.readString(password).strip();
        Map<String, UserFile.User> first = Map.of(FIRST, new UserFile.User(FIRST, AccessRole.ADMINISTRATOR, PasswordHash.of(text.toCharArray())));
        file.write(first);
        LOG.info("The first administrator is '{}', with the password in {}", FIRST, password);
        return first;
    }

    /** The user of that name as of now, or null. */
    UserFile.User find(String name) {
        return users.get(name);
    }

    /** Whether this password is right. Takes its time unless it was right a while ago. */
    Verdict login(String name, char[] password, String address) {
        SecuritySettings now = settings.get();
        String key = NAME.matcher(name).matches() ? name : "?";
        long wait = Math.max(names.waitMillis(key, nanoTime.getAsLong()), addresses.waitMillis(address, nanoTime.getAsLong()));
        UserFile.User user = wait > 0 ? null : verified(name, password);
        if (user != null) {
            names.succeeded(key);
            addresses.succeeded(address);
            return new Verdict(user, 0);
        }
        long atNanos = nanoTime.getAsLong();
        names.failed(key, now.attemptsFree(), now.attemptsMax(), now.lockSeconds(), atNanos);
        addresses.failed(address, now.addressAttemptsMax(), now.addressAttemptsMax(), now.lockSeconds(), atNanos);
        wait = Math.max(names.waitMillis(key, atNanos), addresses.waitMillis(address, atNanos));
        LOG.warn("Login as '{}' from {} refused{}", key, address, wait == 0 ? "" : "; the next attempt has to wait " + (wait + 999) / 1000 + " s");
        return new Verdict(null, wait);
    }

    private UserFile.User verified(String name, char[] password) {
        UserFile.User user = users.get(name);
        if (password.length > PASSWORD_CHARS_MAX) {
            return null;
        } else if (user == null) {
            compare(PasswordHash.OF_NOBODY, password);
            return null;
        }
        byte[] keyed = keyed(user, password);
        byte[] known = right.get(name);
        if (known != null && MessageDigest.isEqual(known, keyed)) {
            return user;
        } else if (!compare(user.hash(), password)) {
            return null;
        }
        right.put(name, keyed);
        // The password may have been changed while it was compared.
        return users.get(name) == user ? user : null;
    }

    private boolean compare(PasswordHash hash, char[] password) {
        hashing.acquireUninterruptibly();
        try {
            return hash.matches(password);
        } finally {
            hashing.release();
        }
    }

    /** With the salt in it an entry of a former password matches nothing. */
    private byte[] keyed(UserFile.User user, char[] password) {
        return cacheKey.keyed(user.hash().salt(), new String(password).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public List<UserAccount> list() {
        return users.values().stream().map(user -> new UserAccount(user.name(), user.role(), names.waitMillis(user.name(), nanoTime.getAsLong()))).toList();
    }

    @Override
    public synchronized void add(String name, AccessRole role, char[] password) throws IOException {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("'" + name + "' cannot be a name: up to 64 letters, digits, dots, dashes, underscores and @");
        } else if (users.containsKey(name)) {
            throw new IllegalArgumentException("there is a user " + name + " already; remove it first, or give it another password");
        }
        store(new UserFile.User(name, role, hash(password)));
    }

    @Override
    public synchronized void password(String name, char[] password) throws IOException {
        UserFile.User user = existing(name);
        store(new UserFile.User(name, user.role(), hash(password)));
        unlock(name);
        forgetFirstPassword(name);
    }

    @Override
    public synchronized void remove(String name) throws IOException {
        UserFile.User user = existing(name);
        if (user.role() == AccessRole.ADMINISTRATOR
                && users.values().stream().filter(other -> other.role() == AccessRole.ADMINISTRATOR).count() == 1) {
            throw new IllegalArgumentException(name + " is the only administrator; add another one first");
        }
        Map<String, UserFile.User> next = new TreeMap<>(users);
        next.remove(name);
        file.write(next);
        users = next;
        right.remove(name);
        forgetFirstPassword(name);
    }

    @Override
    public void unlock(String name) {
        names.succeeded(existing(name).name());
        addresses.clear();
    }

    private UserFile.User existing(String name) {
        UserFile.User user = users.get(name);
        if (user == null) {
            throw new IllegalArgumentException("there is no user " + name + "; there is " + String.join(", ", users.keySet()));
        }
        return user;
    }

    private void store(UserFile.User user) throws IOException {
        Map<String, UserFile.User> next = new TreeMap<>(users);
        next.put(user.name(), user);
        file.write(next);
        users = next;
        right.remove(user.name());
    }

    /** A file with a password that no longer opens anything only misleads. */
    private void forgetFirstPassword(String name) throws IOException {
        if (name.equals(FIRST)) {
            Files.deleteIfExists(data.resolve(FIRST_PASSWORD_FILE));
        }
    }

    private static PasswordHash hash(char[] password) {
        if (password.length < PASSWORD_CHARS_MIN || password.length > PASSWORD_CHARS_MAX) {
            throw new IllegalArgumentException("a password has " + PASSWORD_CHARS_MIN + " to " + PASSWORD_CHARS_MAX + " characters, this has " + password.length);
        }
        return PasswordHash.of(password);
    }
}
