package org.plover.security;

import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.plover.api.control.AccessRole;

/** What may be asked for at which path, and from where. Knows nothing of who it is. */
final class Access {
    static final String CONSOLE = "/system/console";
    static final String PAGE = CONSOLE + "/plover";
    private static final Set<String> READING = Set.of("GET", "HEAD", "OPTIONS");
    /** Of the container's console, what everybody needs who looks at our page. All else in it is code execution. */
    private static final List<String> FOR_ALL = List.of(PAGE, CONSOLE + "/res", CONSOLE + "/logout");
    private static final List<String> DOORS = List.of("/plover", "/system/health");
    /** Health checks in another format are siblings: {@code /system/health.json}. */
    private static final String HEALTH_FORMATS = "/system/health.";

    private Access() {
    }

    static boolean isReading(String method) {
        return READING.contains(method);
    }

    /**
     * The path as the servlets will see it, or null if it is one that could be read in two ways. Then nobody gets in: what is
     * judged here must be what is served.
     */
    static String path(String requestUri) {
        String path;
        try {
            path = URLDecoder.decode(requestUri.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return null;
        }
        boolean plain = path.startsWith("/") && path.indexOf(';') < 0 && path.indexOf('\\') < 0 && path.indexOf('%') < 0
                && path.chars().noneMatch(c -> c < ' ' || c == 0x7f) && !path.contains("//");
        for (String segment : path.split("/")) {
            plain &= !segment.equals(".") && !segment.equals("..");
        }
        return plain && !requestUri.toLowerCase(Locale.ROOT).contains("%2f") ? path : null;
    }

    /** The lowest role that may use this method at this path. The commands behind the REST API ask for more where they need it. */
    static AccessRole lowest(String method, String path) {
        boolean forAll = FOR_ALL.stream().anyMatch(prefix -> isBelow(path, prefix));
        if (isBelow(path, CONSOLE)) {
            return forAll && isReading(method) ? AccessRole.VIEWER : AccessRole.ADMINISTRATOR;
        } else if (path.startsWith(HEALTH_FORMATS) || DOORS.stream().anyMatch(prefix -> isBelow(path, prefix))) {
            return isReading(method) ? AccessRole.VIEWER : AccessRole.OPERATOR;
        }
        return AccessRole.ADMINISTRATOR;
    }

    static boolean isBelow(String path, String prefix) {
        return path.equals(prefix) || path.startsWith(prefix + "/");
    }

    /**
     * Whether a browser says that a page of another origin has sent this. Only requests that change something are to be asked about;
     * a browser that sends them names at least one of these headers.
     */
    static boolean isForeign(HttpServletRequest request) {
        String site = request.getHeader("Sec-Fetch-Site");
        if (site != null && !site.equals("same-origin") && !site.equals("none")) {
            return true;
        }
        String origin = request.getHeader("Origin");
        if (origin != null) {
            return !isOwn(origin, request);
        }
        String referer = request.getHeader("Referer");
        return referer != null && !isOwn(referer, request);
    }

    /** Whether a browser has sent this, as far as it can be told, and so from a page of ours where it is not foreign. */
    static boolean saysWhereFrom(HttpServletRequest request) {
        return "same-origin".equals(request.getHeader("Sec-Fetch-Site")) || request.getHeader("Origin") != null || request.getHeader("Referer") != null;
    }

    private static boolean isOwn(String from, HttpServletRequest request) {
        String host = request.getHeader("Host");
        try {
            URI uri = URI.create(from);
            return host != null && uri.getRawAuthority() != null && uri.getRawAuthority().equalsIgnoreCase(host)
                    && request.getScheme().equalsIgnoreCase(uri.getScheme());
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
