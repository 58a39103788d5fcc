package org.plover.security;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/** The page that asks for name and password. It loads nothing and runs nothing. */
final class LoginPage {
    private static final String TEMPLATE = template();
    private static final String POLICY = "default-src 'none'; style-src 'sha256-" + styleHash() + "'; form-action 'self'; base-uri 'none'; "
            + "frame-ancestors 'none'";

    private LoginPage() {
    }

    /** @param from where to go after the login */
    static void send(HttpServletResponse response, int status, String from, String message) throws IOException {
        response.setStatus(status);
        response.setHeader("Cache-Control", "no-store");
        response.setHeader("Content-Security-Policy", POLICY);
        response.setContentType("text/html;charset=utf-8");
        String page = TEMPLATE.replace("{action}", HttpGuard.LOGIN).replace("{from}", escape(local(from))).replace("{message}", escape(message));
        response.getOutputStream().write(page.getBytes(StandardCharsets.UTF_8));
    }

    /** A path on this server, whatever was asked for: nobody is to be sent elsewhere by a login. */
    static String local(String from) {
        boolean isLocal = from != null && from.startsWith("/") && !from.startsWith("//") && from.indexOf('\\') < 0
                && from.chars().allMatch(c -> c > ' ' && c < 0x7f) && !from.startsWith(HttpGuard.LOGIN) && !from.startsWith(HttpGuard.LOGOUT);
        return isLocal ? from : Access.CONSOLE;
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;").replace("'", "&#39;");
    }

    private static String template() {
        try (InputStream in = LoginPage.class.getResourceAsStream("login.html")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("the login page is in this bundle", e);
        }
    }

    private static String styleHash() {
        String style = TEMPLATE.substring(TEMPLATE.indexOf("<style>") + "<style>".length(), TEMPLATE.indexOf("</style>"));
        try {
            return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(style.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
