package org.plover.webhook;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends messages to one web server, in order, on a thread of its own. {@link #offer} never blocks. Thread-safe. */
final class Delivery implements AutoCloseable {
    /** Of GitHub's form: the algorithm, and the MAC of the body in hexadecimal. */
    static final String SIGNATURE = "Plover-Signature";
    static final String ID = "Plover-Delivery";
    private static final long RETRY_MILLIS_MAX = 60_000;
    private static final int ANSWER_CHARACTERS = 200;
    private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

    /**
     * @param id   the same for every try, so that the server can tell repetitions
     * @param what for the log
     */
    record Message(String id, String what, String body) {
    }

    private enum Outcome { DELIVERED, AGAIN, NEVER }

    private final String name;
    private final WebhookSettings settings;
    private final HttpClient client;
    private final Thread thread;
    private final Deque<Message> queue = new ArrayDeque<>();
    /** The one that is being sent, or null. */
    private Message current;
    private boolean closed;
    private long givenUp;
    private volatile String trouble = "";

    Delivery(String name, WebhookSettings settings) {
        this.name = name;
        this.settings = settings;
        this.client = HttpClient.newBuilder().connectTimeout(Duration.ofMillis(settings.timeoutMillis()))
                .followRedirects(HttpClient.Redirect.NEVER).build();
        this.thread = new Thread(this::run, "plover-webhook-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    WebhookSettings settings() {
        return settings;
    }

    synchronized void offer(Message message) {
        if (closed) {
            return;
        }
        if (queue.size() >= settings.queueEventsMax()) {
            Message oldest = queue.removeFirst();
            if (givenUp++ == 0) {
                LOG.warn("webhook {}: {} events wait already, so the oldest is given up: {}; see what keeps {} from answering", name,
                        settings.queueEventsMax(), oldest.what, settings);
            }
        }
        queue.addLast(message);
        notifyAll();
    }

    private void run() {
        try {
            while (true) {
                Message next = take();
                if (next == null) {
                    return;
                }
                deliver(next);
                done();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed: the thread ends
        }
    }

    private synchronized Message take() throws InterruptedException {
        while (queue.isEmpty() && !closed) {
            wait();
        }
        current = closed ? null : queue.removeFirst();
        return current;
    }

    private synchronized void done() {
        current = null;
    }

    private void deliver(Message message) throws InterruptedException {
        long wait = settings.retryMillis();
        for (int attempt = 0;; attempt++) {
            Outcome outcome = attempt(message);
            if (outcome == Outcome.DELIVERED) {
                onDelivered(attempt);
                return;
            }
            if (outcome == Outcome.NEVER || attempt >= settings.retriesMax()) {
                LOG.warn("webhook {}: an event was given up after {} tries: {}: {}", name, attempt + 1, message.what, trouble);
                return;
            }
            if (attempt == 0) {
                LOG.info("webhook {}: {}; trying again", name, trouble);
            }
            Thread.sleep(wait);
            wait = Math.min(RETRY_MILLIS_MAX, wait * 2);
        }
    }

    private synchronized void onDelivered(int attempt) {
        trouble = "";
        if (givenUp > 0) {
            LOG.warn("webhook {}: {} answers again; {} events were given up meanwhile", name, settings, givenUp);
            givenUp = 0;
        } else if (attempt > 0) {
            LOG.info("webhook {}: {} answers again", name, settings);
        }
    }

    private Outcome attempt(Message message) throws InterruptedException {
        byte[] body = message.body.getBytes(StandardCharsets.UTF_8);
        HttpRequest.Builder request = HttpRequest.newBuilder(settings.url()).timeout(Duration.ofMillis(settings.timeoutMillis()))
                .header("Content-Type", "application/json").header("User-Agent", "Plover").header(ID, message.id)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        if (!settings.secret().isEmpty()) {
            request.header(SIGNATURE, sign(settings.secret(), body));
        }
        try {
            HttpResponse<Void> answer = client.send(request.build(), HttpResponse.BodyHandlers.discarding());
            int status = answer.statusCode();
            if (status / 100 == 2) {
                return Outcome.DELIVERED;
            }
            trouble = settings + " answers with status " + status;
            return status / 100 == 5 || status == 429 || status == 408 ? Outcome.AGAIN : Outcome.NEVER;
        } catch (IOException e) {
            trouble = settings + " cannot be reached: " + reason(e);
            return Outcome.AGAIN;
        }
    }

    /** The client's own exceptions often have no message. */
    private static String reason(IOException e) {
        String text = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return text.substring(0, Math.min(ANSWER_CHARACTERS, text.length()));
    }

    static String sign(String secret, byte[] body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return "sha256=" + HexFormat.of().formatHex(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java lacks HmacSHA256, which every Java must have", e);
        }
    }

    /** Ends it, and returns what has not been delivered: with the one that was being sent, which may have arrived. */
    List<Message> end() {
        List<Message> left = new ArrayList<>();
        synchronized (this) {
            closed = true;
            if (current != null) {
                left.add(current);
            }
            left.addAll(queue);
            queue.clear();
            notifyAll();
        }
        thread.interrupt();
        return left;
    }

    @Override
    public void close() {
        int left = end().size();
        if (left > 0) {
            LOG.warn("webhook {}: {} events that waited are given up, for it or this appliance ends", name, left);
        }
    }
}
