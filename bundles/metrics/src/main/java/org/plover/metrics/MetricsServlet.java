package org.plover.metrics;

import jakarta.servlet.Servlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.plover.api.control.Caller;

/** Answers Prometheus, if the guard before the HTTP service has let the request through. */
@Component(service = Servlet.class, property = {"osgi.http.whiteboard.servlet.pattern=" + MetricsServlet.PATH,
        "osgi.http.whiteboard.servlet.name=org.plover.metrics"})
public final class MetricsServlet extends HttpServlet {
    static final String PATH = "/plover/metrics";
    private static final long serialVersionUID = 1;

    private final transient VmMetrics metrics;

    @Activate
    public MetricsServlet(@Reference VmMetrics metrics) {
        this.metrics = metrics;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        if (request.getAttribute(Caller.HTTP_ATTRIBUTE) == null) {
            // Nobody has asked who that is: the bundle that does is not there.
            response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE, "logins are not ready; is the bundle org.plover.security started?");
            return;
        }
        String accept = request.getHeader("Accept");
        ByteArrayOutputStream text = new ByteArrayOutputStream(32 << 10); // whole or not at all
        metrics.write(accept, text);
        response.setContentType(metrics.contentType(accept));
        response.setHeader("Cache-Control", "no-store");
        response.setContentLength(text.size());
        text.writeTo(response.getOutputStream());
    }
}
