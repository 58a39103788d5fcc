package org.plover.security;

import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Path;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.servlet.whiteboard.Preprocessor;
import org.plover.api.control.CommandService;
import org.plover.api.control.UserDirectory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the guard before the HTTP server. It starts before the server does (same start level, listed first in the feature file), so that there is no moment without it; where the users
 * cannot be read it is there all the same, and lets nobody in.
 */
@Component(service = Preprocessor.class, configurationPid = SecurityConfig.PID, immediate = true)
@Designate(ocd = SecurityConfig.class)
public final class SecurityComponent implements Preprocessor {
    private static final Logger LOG = LoggerFactory.getLogger(SecurityComponent.class);

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    private volatile CommandService commands;

    private volatile SecuritySettings settings = SecuritySettings.DEFAULTS;
    private HttpGuard guard;
    private ServiceRegistration<UserDirectory> registration;

    @Activate
    void activate(BundleContext context, SecurityConfig config) {
        modified(config);
        String data = context.getProperty("plover.data");
        Users users = null;
        try {
            users = new Users(Path.of(data == null ? "data" : data), () -> settings, System::nanoTime);
            registration = context.registerService(UserDirectory.class, users, null);
        } catch (IOException e) {
            LOG.error("Nobody can log in over HTTP: {}", e.getMessage());
        }
        guard = new HttpGuard(users, new Sessions(() -> settings, System::nanoTime), () -> commands, new Tokens()::of);
    }

    /** Values that do not fit are refused as a whole, and the ones in force stay. */
    @Modified
    void modified(SecurityConfig config) {
        try {
            settings = SecuritySettings.of(config);
        } catch (IllegalArgumentException e) {
            LOG.error("{}: {}. Nothing of this configuration is applied, these stay: {}", SecurityConfig.PID, e.getMessage(), settings);
        }
    }

    @Deactivate
    void deactivate() {
        if (registration != null) {
            registration.unregister();
        }
    }

    @Override
    public void init(FilterConfig unused) {
        // Nothing comes from there.
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain) throws IOException, ServletException {
        guard.doFilter((HttpServletRequest) request, (HttpServletResponse) response, chain);
    }

    @Override
    public void destroy() {
        // The component's own end does that.
    }
}
