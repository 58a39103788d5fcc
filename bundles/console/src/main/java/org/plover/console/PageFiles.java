package org.plover.console;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/** The files of the page and the headers they go out with. Thread-safe. */
final class PageFiles {
    /** Nothing from elsewhere, nothing inline: what a guest, a peer or a configuration has as its text can never become code. */
    static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

    private static final String FOLDER = "page/";
    private static final String PAGE = "index.html";
    private static final String RESOURCES = "/res/";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+");
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html;charset=utf-8",
            "css", "text/css;charset=utf-8",
            "js", "text/javascript;charset=utf-8",
            "svg", "image/svg+xml",
            "txt", "text/plain;charset=utf-8");

    private final Map<String, byte[]> content = new ConcurrentHashMap<>();

    /**
     * What to answer to a GET.
     *
     * @param path    path within the plugin
     * @param console path of the web console, as the browser sees it
     * @param plugin  path of the plugin
     * @param known   the {@code If-None-Match} header, or null
     */
    Answer answer(String path, String console, String plugin, String known) throws IOException {
        if (path.isEmpty() || path.equals("/")) {
            String page = new String(file(PAGE), StandardCharsets.UTF_8)
                    .replace("@plugin@", attribute(plugin)).replace("@console@", attribute(console));
            return answer(PAGE, page.getBytes(StandardCharsets.UTF_8), known);
        }
        String name = path.startsWith(RESOURCES) ? path.substring(RESOURCES.length()) : "";
        byte[] body = NAME.matcher(name).matches() && !name.equals(PAGE) ? file(name) : null;
        if (body == null) {
            return new Answer(404, Map.of("Content-Type", TYPES.get("txt")),
                    "There is no such file in the page.".getBytes(StandardCharsets.UTF_8));
        }
        return answer(name, body, known);
    }

    private static Answer answer(String name, byte[] body, String known) {
        Map<String, String> headers = new LinkedHashMap<>();
        String tag = '"' + digest(body) + '"';
        headers.put("ETag", tag);
        // Asked for again every time and mostly answered by 304: an upgrade shows at once.
        headers.put("Cache-Control", "no-cache");
        headers.put("X-Content-Type-Options", "nosniff");
        headers.put("Referrer-Policy", "same-origin");
        headers.put("Content-Security-Policy", POLICY);
        if (tag.equals(known)) {
            return new Answer(304, headers, new byte[0]);
        }
        headers.put("Content-Type", TYPES.getOrDefault(name.substring(name.lastIndexOf('.') + 1), "application/octet-stream"));
        return new Answer(200, headers, body);
    }

    private byte[] file(String name) throws IOException {
        byte[] cached = content.get(name);
        if (cached != null) {
            return cached;
        }
        try (InputStream in = PageFiles.class.getResourceAsStream(FOLDER + name)) {
            if (in == null) {
                return null;
            }
            byte[] read = in.readAllBytes();
            content.put(name, read);
            return read;
        }
    }

    private static String attribute(String text) {
        return text.replace("&", "&amp;").replace("\"", "&quot;").replace("<", "&lt;");
    }

    private static String digest(byte[] body) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body), 0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** A response to be written as it is. */
    record Answer(int status, Map<String, String> headers, byte[] body) {
    }
}
