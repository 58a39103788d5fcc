package org.plover.demo;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;

/**
 * Keys are rows of one table, writes are rows of another; a write is one transaction that touches both. Its three round trips are
 * meant: failovers then find transactions that are half done. Nothing in the schema keeps a number from being there twice.
 */
final class PostgresqlClient implements ServiceClient {
    private static final String[] SCHEMA = {
        "CREATE TABLE IF NOT EXISTS plover_values (name text PRIMARY KEY, value bigint NOT NULL)",
        "CREATE TABLE IF NOT EXISTS plover_writes (position bigint GENERATED ALWAYS AS IDENTITY, ledger text NOT NULL, number bigint NOT NULL)",
        "CREATE INDEX IF NOT EXISTS plover_writes_by_ledger ON plover_writes (ledger, position)",
    };

    private final Connection connection;

    private PostgresqlClient(Connection connection) {
        this.connection = connection;
    }

    static PostgresqlClient connect(InetSocketAddress address, int timeoutMillis) throws IOException {
        Properties properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("sslmode", "disable");
        properties.setProperty("gssEncMode", "disable");
        String seconds = Integer.toString(Math.max(1, timeoutMillis / 1000));
        properties.setProperty("connectTimeout", seconds);
        properties.setProperty("socketTimeout", seconds);
        try {
            return new PostgresqlClient(new org.postgresql.Driver().connect(
                    "jdbc:postgresql://" + address.getHostString() + ":" + address.getPort() + "/postgres", properties));
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    @Override
    public void prepare() throws IOException {
        try (Statement statement = connection.createStatement()) {
            for (String definition : SCHEMA) {
                statement.execute(definition);
            }
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    @Override
    public void timeoutMillis(int millis) throws IOException {
        try {
            connection.setNetworkTimeout(Runnable::run, millis);
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    @Override
    public long write(Ledger ledger, int key, long number) throws IOException {
        try {
            connection.setAutoCommit(false);
            update("INSERT INTO plover_values VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", ledger.key(key), number);
            update("INSERT INTO plover_writes (ledger, number) VALUES (?, ?)", ledger.list(), number);
            connection.commit();
            connection.setAutoCommit(true);
            return UNKNOWN_LENGTH;
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    private void update(String sql, String name, long number) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, name);
            statement.setLong(2, number);
            statement.executeUpdate();
        }
    }

    @Override
    public String read(Ledger ledger, int key) throws IOException {
        List<String> found = query("SELECT value FROM plover_values WHERE name = ?", ledger.key(key));
        return found.isEmpty() ? null : found.get(0);
    }

    @Override
    public String[] readAll(Ledger ledger) throws IOException {
        Map<String, String> found = new HashMap<>();
        try (PreparedStatement statement = connection.prepareStatement("SELECT name, value FROM plover_values WHERE name = ANY (?)")) {
            String[] names = new String[ledger.keys()];
            Arrays.setAll(names, ledger::key);
            statement.setArray(1, connection.createArrayOf("text", names));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    found.put(rows.getString(1), rows.getString(2));
                }
            }
            return Stream.of(names).map(found::get).toArray(String[]::new);
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    @Override
    public List<String> writes(Ledger ledger, long from, int count) throws IOException {
        return query("SELECT number FROM plover_writes WHERE ledger = ? ORDER BY position OFFSET " + from + " LIMIT " + count, ledger.list());
    }

    private List<String> query(String sql, String name) throws IOException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                List<String> found = new ArrayList<>();
                while (rows.next()) {
                    found.add(rows.getString(1));
                }
                return found;
            }
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    @Override
    public void forget(Ledger ledger) throws IOException {
        try (PreparedStatement keys = connection.prepareStatement("DELETE FROM plover_values WHERE name = ?");
             PreparedStatement list = connection.prepareStatement("DELETE FROM plover_writes WHERE ledger = ?")) {
            for (int key = 0; key < ledger.keys(); key++) {
                keys.setString(1, ledger.key(key));
                keys.addBatch();
            }
            keys.executeBatch();
            list.setString(1, ledger.list());
            list.executeUpdate();
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    private static IOException failure(SQLException e) {
        return new IOException(e.getMessage() + (e.getCause() == null ? "" : " (" + e.getCause() + ")"), e);
    }

    @Override
    public void close() throws IOException {
        try {
            // close() would wait for an operation under way.
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            throw failure(e);
        }
    }
}
