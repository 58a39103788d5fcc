package org.plover.webhook;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** A webhook's configuration, checked. */
record WebhookSettings(URI url, Set<String> kinds, Set<String> vms, String secret, int timeoutMillis, int retriesMax, int retryMillis,
                       int queueEventsMax) {
    /** Throws IllegalArgumentException with a sentence that names the key, the value and what is wanted. */
    static WebhookSettings of(WebhookConfig config) {
        String secret = config.secret() == null ? "" : config.secret().strip(); // a file ends with a line end
        if (secret.startsWith("$[secret:")) {
            throw new IllegalArgumentException("secret: there is no file for " + secret + " in the folder secrets of the data directory");
        }
        return new WebhookSettings(url(config.url()), set(config.kinds()), set(config.vms()), secret,
                range("timeoutMillis", config.timeoutMillis(), 100, 60_000),
                range("retriesMax", config.retriesMax(), 0, 100),
                range("retryMillis", config.retryMillis(), 10, 60_000),
                range("queueEventsMax", config.queueEventsMax(), 1, 100_000));
    }

    private static URI url(String text) {
        try {
            URI url = new URI(text == null ? "" : text.strip());
            if (url.getHost() != null && ("http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme()))) {
                return url;
            }
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("url: '" + text + "' is not the address of a web server: " + e.getReason(), e);
        }
        throw new IllegalArgumentException("url: '" + (text == null ? "" : text) + "' is not http://HOST/... or https://HOST/...");
    }

    private static Set<String> set(String[] texts) {
        return texts == null ? Set.of()
                : Arrays.stream(texts).map(String::strip).filter(text -> !text.isEmpty()).collect(Collectors.toUnmodifiableSet());
    }

    private static int range(String key, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(key + ": " + value + " is not within " + min + " to " + max);
        }
        return value;
    }

    boolean wants(String vm, String kind) {
        return (vms.isEmpty() || vms.contains(vm)) && (kinds.isEmpty() || kinds.contains(kind));
    }

    /** For logs: where it goes, without a user and a query, which may hold secrets; and never the secret. */
    @Override
    public String toString() {
        return url.getScheme() + "://" + url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort()) + url.getPath();
    }
}
