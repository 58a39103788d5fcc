package org.plover.console;

import jakarta.servlet.Servlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.apache.felix.webconsole.servlet.AbstractServlet;
import org.apache.felix.webconsole.servlet.ServletConstants;
import org.osgi.service.component.annotations.Component;

/**
 * The page "Protection" in the web console. It is a page of its own and not content within the console's frame: that has inline
 * scripts, which a strict content security policy forbids, and does not fit on a phone.
 *
 * <p>What it serves is the same for everybody and holds no data; those come from the REST API, which decides who may see what.
 */
@Component(service = Servlet.class, property = {
    ServletConstants.PLUGIN_LABEL + "=" + ProtectionPlugin.LABEL,
    ServletConstants.PLUGIN_TITLE + "=Protection",
    ServletConstants.PLUGIN_CATEGORY + "=Plover"})
public final class ProtectionPlugin extends AbstractServlet {
    static final String LABEL = "plover";
    private static final long serialVersionUID = 1L;

    private final transient PageFiles files = new PageFiles();

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Object appRoot = request.getAttribute(ServletConstants.ATTR_APP_ROOT);
        String console = appRoot == null ? request.getContextPath() + request.getServletPath() : appRoot.toString();
        String path = request.getPathInfo() == null ? "" : request.getPathInfo();
        String within = path.startsWith("/" + LABEL) ? path.substring(LABEL.length() + 1) : path;
        PageFiles.Answer answer = files.answer(within, console, console + "/" + LABEL, request.getHeader("If-None-Match"));
        // A status that is set tells the console that nothing is left for it to do.
        response.setStatus(answer.status());
        answer.headers().forEach(response::setHeader);
        if (answer.body().length > 0) {
            response.setContentLength(answer.body().length);
            response.getOutputStream().write(answer.body());
        }
    }
}
