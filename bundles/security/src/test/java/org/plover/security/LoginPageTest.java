package org.plover.security;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class LoginPageTest {
    @Test
    public void shouldSendNobodyElsewhere() {
        assertEquals("/system/console/plover", LoginPage.local("/system/console/plover"));
        for (String elsewhere : new String[] {null, "", "https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x", "javascript:1",
            "/plover/login", "/plover/logout"}) {
            assertEquals(Access.CONSOLE, LoginPage.local(elsewhere));
        }
    }
}
