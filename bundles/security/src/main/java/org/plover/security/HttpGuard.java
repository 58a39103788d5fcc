package org.plover.security;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.plover.api.control.AccessRole;
import org.plover.api.control.Caller;
import org.plover.api.control.CommandService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands before every path of the HTTP server. Lets through who has logged in, may do that there, and was not sent by a page of
 * another origin; nobody else learns anything, not even what there is. Thread-safe; comparing a password blocks for a moment.
 */
final class HttpGuard {
    /** With the port behind it: to a browser all ports of a host are one, and there may be an appliance on several. */
    static final String COOKIE = "plover-session-";
    static final String LOGIN = "/plover/login";
    static final String LOGOUT = "/plover/logout";
    /** In place of a session's id, where the password comes with each request. */
    private static final String NO_SESSION = "";

    private static final Logger LOG = LoggerFactory.getLogger(HttpGuard.class);
    private static final String CONSOLE_POLICY = "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
            + "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
    private static final String STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

    private final Users users;
    private final Sessions sessions;
    private final Supplier<CommandService> commands;
    /** The token of a user who sends the password along. */
    private final UnaryOperator<String> basicToken;

    /** Who it is, and the token that changing something takes. */
    private record Login(UserFile.User user, String sessionId, String token) {
    }

    /** @param users who there is, or null if that cannot be told: then nobody gets in */
    HttpGuard(Users users, Sessions sessions, Supplier<CommandService> commands, UnaryOperator<String> basicToken) {
        this.users = users;
        this.sessions = sessions;
        this.commands = commands;
        this.basicToken = basicToken;
    }

    void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain) throws IOException, ServletException {
        String path = Access.path(request.getRequestURI());
        headers(response, path);
        if (users == null) {
            refuse(response, 503, "failed", "the file of users cannot be read: the appliance's log says why");
            return;
        } else if (path == null) {
            refuse(response, 400, "bad-request", "this is no path here");
            return;
        } else if (!Access.isReading(request.getMethod()) && Access.isForeign(request)) {
            LOG.warn("{} {} from {} refused: it was sent by a page of {}", request.getMethod(), path, request.getRemoteAddr(), request.getHeader("Origin"));
            refuse(response, 403, "forbidden", "a page of another origin has sent this");
            return;
        } else if (path.equals(LOGIN)) {
            loginPage(request, response);
            return;
        }
        Login login = login(request, response, path);
        if (login == null) {
            return;
        }
        if (path.equals(LOGOUT) || path.equals(Access.CONSOLE + "/logout")) {
            logout(request, response, login);
        } else if (!mayChange(request, path, login)) {
            refuse(response, 403, "forbidden", "what changes something has to carry the token of /plover/api/v1/me in the header "
                    + Caller.HTTP_TOKEN_HEADER);
        } else if (!login.user().role().covers(Access.lowest(request.getMethod(), path))) {
            forbidden(request, response, path, login.user());
        } else if (fits(request, response, path, login.user())) {
            request.setAttribute(Caller.HTTP_ATTRIBUTE, new Caller(login.user().name(), door(path), login.user().role()));
            request.setAttribute(Caller.HTTP_TOKEN_ATTRIBUTE, login.token());
            chain.doFilter(request, response);
        }
    }

    private static String door(String path) {
        return Access.isBelow(path, Access.CONSOLE) ? "console" : Access.isBelow(path, "/plover/api") ? "rest" : "http";
    }

    private static void headers(HttpServletResponse response, String path) {
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("X-Frame-Options", "DENY");
        response.setHeader("Referrer-Policy", "same-origin");
        response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
        response.setHeader("Content-Security-Policy", path != null && Access.isBelow(path, Access.CONSOLE) ? CONSOLE_POLICY : STRICT_POLICY);
    }

    // ---- who it is

    /** Who has logged in; null if nobody, and the answer has been given then. */
    private Login login(HttpServletRequest request, HttpServletResponse response, String path) throws IOException {
        String authorization = request.getHeader("Authorization");
        if (authorization != null) {
            String[] basic = basic(authorization);
            Users.Verdict verdict = basic == null ? new Users.Verdict(null, 0) : users.login(basic[0], basic[1].toCharArray(), request.getRemoteAddr());
            if (verdict.user() != null) {
                return new Login(verdict.user(), NO_SESSION, basicToken.apply(verdict.user().name()));
            } else if (verdict.waitMillis() > 0) {
                tooMany(response, verdict.waitMillis());
                return null;
            }
            response.setHeader("WWW-Authenticate", "Basic realm=\"Plover\", charset=\"UTF-8\"");
            refuse(response, 401, "unauthenticated", "name or password is wrong");
            return null;
        }
        Sessions.Session session = session(request);
        if (session != null) {
            return new Login(session.user(), session.id(), session.token());
        } else if (isPersonLooking(request)) {
            // No challenge: the browser would ask by itself, and send the password along with everything from then on.
            LoginPage.send(response, 401, path, "");
        } else {
            response.setHeader("WWW-Authenticate", "Basic realm=\"Plover\", charset=\"UTF-8\"");
            refuse(response, 401, "unauthenticated", "log in first");
        }
        return null;
    }

    private static boolean isPersonLooking(HttpServletRequest request) {
        String accept = request.getHeader("Accept");
        return request.getMethod().equals("GET") && accept != null && accept.contains("text/html");
    }

    private Sessions.Session session(HttpServletRequest request) {
        if (request.getCookies() == null) {
            return null;
        }
        String name = cookieName(request);
        for (Cookie cookie : request.getCookies()) {
            Sessions.Session session = cookie.getName().equals(name) ? sessions.use(cookie.getValue()) : null;
            if (session != null && session.user().equals(users.find(session.user().name()))) {
                return session;
            }
        }
        return null;
    }

    /** Name and password, or null if there are none. */
    private static String[] basic(String authorization) {
        if (!authorization.regionMatches(true, 0, "Basic ", 0, 6)) {
            return null;
        }
        try {
            String[] parts = new String(Base64.getDecoder().decode(authorization.substring(6).trim()), StandardCharsets.UTF_8).split(":", 2);
            return parts.length == 2 ? parts : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private void loginPage(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String from = LoginPage.local(request.getParameter("from"));
        if (!request.getMethod().equals("POST")) {
            LoginPage.send(response, 200, from, "");
            return;
        } else if (!Access.saysWhereFrom(request)) {
            refuse(response, 403, "forbidden", "this page is for browsers; programs log in by HTTP Basic");
            return;
        }
        String name = request.getParameter("name");
        String password = request.getParameter("password");
        Users.Verdict verdict = users.login(name == null ? "" : name.trim(), (password == null ? "" : password).toCharArray(), request.getRemoteAddr());
        if (verdict.user() == null) {
            boolean mustWait = verdict.waitMillis() > 0;
            LoginPage.send(response, mustWait ? 429 : 401, from, mustWait
                    ? "Too many wrong passwords. Try again in " + (verdict.waitMillis() + 999) / 1000 + " s, or let an administrator unlock this name."
                    : "Name or password is wrong.");
            return;
        }
        Sessions.Session session = sessions.begin(verdict.user());
        LOG.info("User {} ({}) has logged in from {}", verdict.user().name(), verdict.user().role().text(), request.getRemoteAddr());
        cookie(request, response, session.id(), "");
        response.setHeader("Location", from);
        response.setStatus(303);
    }

    private void logout(HttpServletRequest request, HttpServletResponse response, Login login) throws IOException {
        // By a link of another page it is only a nuisance; the cookie is not even sent then.
        sessions.end(login.sessionId());
        cookie(request, response, "", "; Max-Age=0");
        LoginPage.send(response, 200, Access.CONSOLE, "You have logged out.");
        LOG.info("User {} has logged out from {}", login.user().name(), request.getRemoteAddr());
    }

    private static String cookieName(HttpServletRequest request) {
        return COOKIE + request.getServerPort();
    }

    private static void cookie(HttpServletRequest request, HttpServletResponse response, String value, String more) {
        response.addHeader("Set-Cookie", cookieName(request) + "=" + value + "; Path=/; HttpOnly; Secure; SameSite=Strict" + more);
    }

    // ---- what it may do

    /** Whether the request was meant by who it comes from, as opposed to made by a page that they look at. */
    private static boolean mayChange(HttpServletRequest request, String path, Login login) {
        if (Access.isReading(request.getMethod())) {
            return true;
        }
        boolean isSession = !login.sessionId().equals(NO_SESSION);
        if (Access.isBelow(path, Access.CONSOLE) && !Access.isBelow(path, Access.PAGE)) {
            // The container's own forms carry no token. What they were sent from has been judged, if they say it.
            return Access.saysWhereFrom(request) || !isSession;
        }
        String token = request.getHeader(Caller.HTTP_TOKEN_HEADER);
        boolean right = token != null && MessageDigest.isEqual(token.getBytes(StandardCharsets.UTF_8), login.token().getBytes(StandardCharsets.UTF_8));
        return right || !isSession && !Access.saysWhereFrom(request);
    }

    private static void forbidden(HttpServletRequest request, HttpServletResponse response, String path, UserFile.User user) throws IOException {
        if (isPersonLooking(request) && (path.equals(Access.CONSOLE) || path.equals(Access.CONSOLE + "/"))) {
            response.setHeader("Location", Access.PAGE);
            response.setStatus(303);
            return;
        }
        AccessRole lowest = Access.lowest(request.getMethod(), path);
        LOG.warn("{} {} of user {} refused: role {} is too low", request.getMethod(), path, user.name(), user.role().text());
        refuse(response, 403, "forbidden", "this needs the role " + lowest.text() + ", " + user.name() + " has " + user.role().text());
    }

    /** Whether a form of the console's configuration page has values that may be; says what is wrong if not. */
    private boolean fits(HttpServletRequest request, HttpServletResponse response, String path, UserFile.User user) throws IOException {
        CommandService present = commands.get();
        String form = Access.CONSOLE + "/configMgr/";
        if (present == null || !request.getMethod().equals("POST") || !path.startsWith(form) || request.getParameter("apply") == null
                || request.getParameter("delete") != null || request.getParameter("propertylist") == null) {
            return true;
        }
        String pid = path.substring(form.length());
        String factory = request.getParameter("factoryPid");
        if (factory != null && !factory.isEmpty() && !pid.startsWith(factory)) {
            // A new one; its name is made when it is stored.
            pid = factory + "~new";
        }
        JsonObjectBuilder values = Json.createObjectBuilder();
        Map<String, String[]> parameters = request.getParameterMap();
        for (String key : request.getParameter("propertylist").split(",")) {
            String[] given = parameters.get(key);
            if (given != null && given.length == 1) {
                values.add(key, given[0]);
            } else if (given != null) {
                JsonArrayBuilder list = Json.createArrayBuilder();
                for (String element : given) {
                    list.add(element);
                }
                values.add(key, list);
            }
        }
        JsonObject check = Json.createObjectBuilder().add("command", "check").add("pid", pid).add("values", values).build();
        try (var reader = Json.createReader(new StringReader(present.answer(check.toString(), new Caller(user.name(), "console", user.role()))))) {
            JsonObject answer = reader.readObject();
            if (answer.getBoolean("ok") || !answer.getString("code").equals("bad-request")) {
                return true;
            }
            refuse(response, 400, "bad-request", answer.getString("error"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            refuse(response, 503, "failed", "the appliance is stopping");
        }
        return false;
    }

    // ---- answers

    private static void tooMany(HttpServletResponse response, long waitMillis) throws IOException {
        response.setHeader("Retry-After", Long.toString((waitMillis + 999) / 1000));
        refuse(response, 429, "locked", "too many wrong passwords; try again in " + (waitMillis + 999) / 1000 + " s, or let an administrator unlock this name");
    }

    private static void refuse(HttpServletResponse response, int status, String code, String text) throws IOException {
        response.setStatus(status);
        response.setHeader("Cache-Control", "no-store");
        response.setContentType("application/json;charset=utf-8");
        JsonObject body = Json.createObjectBuilder().add("code", code).add("error", text).build();
        response.getOutputStream().write(body.toString().getBytes(StandardCharsets.UTF_8));
    }
}
