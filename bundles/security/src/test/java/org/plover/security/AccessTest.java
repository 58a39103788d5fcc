package org.plover.security;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.plover.api.control.AccessRole;

public class AccessTest {
    private static final String OWN = "https://127.0.0.1:8080";

    @Test
    public void shouldLetOnlyAdministratorsIntoTheContainersPages() {
        for (String page : new String[] {"", "/", "/bundles", "/configMgr", "/configMgr/org.plover.vm~a", "/status-Configurations.txt", "/plover-not",
            "/ploverx", "/resx"}) {
            assertEquals(page, AccessRole.ADMINISTRATOR, Access.lowest("GET", "/system/console" + page));
        }
        assertEquals(AccessRole.VIEWER, Access.lowest("GET", "/system/console/plover"));
        assertEquals(AccessRole.VIEWER, Access.lowest("GET", "/system/console/plover/res/page.js"));
        assertEquals(AccessRole.VIEWER, Access.lowest("GET", "/system/console/res/ui/all.css"));
        assertEquals(AccessRole.ADMINISTRATOR, Access.lowest("POST", "/system/console/plover"));
    }

    @Test
    public void shouldLetViewersOnlyRead() {
        for (String path : new String[] {"/plover/api/v1/vms", "/plover/metrics", "/system/health"}) {
            assertEquals(AccessRole.VIEWER, Access.lowest("GET", path));
            assertEquals(AccessRole.OPERATOR, Access.lowest("POST", path));
            assertEquals(AccessRole.OPERATOR, Access.lowest("BREW", path));
        }
        assertEquals("what nobody knows of is not for everybody", AccessRole.ADMINISTRATOR, Access.lowest("GET", "/other"));
    }

    @Test
    public void shouldRefusePathsThatCanBeReadInTwoWays() {
        for (String path : new String[] {"/system/console/plover/../bundles", "/system/console/plover/%2e%2e/bundles", "/system/console/plover;x/bundles",
            "//system/console", "/system/console/plover%2f..%2fbundles", "/a%", "/a%252e", "/a\\b", "/a%00b", "x", "/./a"}) {
            assertNull(path, Access.path(path));
        }
        assertEquals("/plover/api/v1/settings/org.plover.vm~a b", Access.path("/plover/api/v1/settings/org.plover.vm~a%20b"));
        assertEquals("/a+b", Access.path("/a+b"));
    }

    @Test
    public void shouldTellARequestOfAnotherOrigin() {
        for (Map<String, String> foreign : List.of(Map.of("Origin", "https://evil.example"), Map.of("Origin", "null"),
                Map.of("Origin", "http://127.0.0.1:8080"), Map.of("Origin", "https://127.0.0.1:8081"), Map.of("Origin", "https://127.0.0.1"),
                Map.of("Referer", "https://evil.example/127.0.0.1:8080/"), Map.of("Sec-Fetch-Site", "cross-site"),
                Map.of("Sec-Fetch-Site", "same-site", "Origin", OWN), Map.of("Origin", "https://127.0.0.1:8080@evil.example"), Map.of("Origin", "::"))) {
            assertTrue(foreign.toString(), Access.isForeign(request(foreign)));
        }
        for (Map<String, String> own : List.of(Map.<String, String>of(), Map.of("Origin", OWN), Map.of("Referer", OWN + "/system/console/x"),
                Map.of("Sec-Fetch-Site", "same-origin", "Origin", OWN))) {
            assertFalse(own.toString(), Access.isForeign(request(own)));
        }
    }

    private static HttpServletRequest request(Map<String, String> headers) {
        return (HttpServletRequest) Proxy.newProxyInstance(AccessTest.class.getClassLoader(), new Class<?>[] {HttpServletRequest.class},
                (self, method, arguments) -> switch (method.getName()) {
                    case "getHeader" -> arguments[0].equals("Host") ? "127.0.0.1:8080" : headers.get(arguments[0]);
                    case "getScheme" -> "https";
                    default -> throw new AssertionError(method + " is not expected");
                });
    }
}
