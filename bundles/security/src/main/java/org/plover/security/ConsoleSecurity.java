package org.plover.security;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.apache.felix.webconsole.spi.SecurityProvider;
import org.osgi.service.component.annotations.Component;
import org.plover.api.control.AccessRole;
import org.plover.api.control.Caller;

/** Tells the web console whom the guard has let through. The console stays away until this is there, and without the guard nobody gets in. */
@Component(service = SecurityProvider.class, property = SecurityProvider.PROPERTY_ID + "=" + ConsoleSecurity.ID)
public final class ConsoleSecurity implements SecurityProvider {
    /** What {@code felix.webconsole.security.providers} names. */
    static final String ID = "org.plover.security";

    @Override
    public Object authenticate(HttpServletRequest request, HttpServletResponse response) {
        Object caller = request.getAttribute(Caller.HTTP_ATTRIBUTE);
        if (caller == null) {
            response.setStatus(401);
        }
        return caller;
    }

    @Override
    public boolean authorize(Object user, String role) {
        return user instanceof Caller caller && caller.role() == AccessRole.ADMINISTRATOR;
    }

    @Override
    public void logout(HttpServletRequest request, HttpServletResponse response) {
        // The guard has answered before the console could be asked.
        response.setStatus(401);
    }
}
