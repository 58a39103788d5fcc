package org.plover.webhook;

import jakarta.json.spi.JsonProvider;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.event.Event;
import org.osgi.service.event.EventConstants;
import org.osgi.service.event.EventHandler;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.status.VmEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells a web server of events: one component for each configuration {@code org.plover.webhook~NAME}. */
@Component(configurationPid = WebhookConfig.PID, configurationPolicy = ConfigurationPolicy.REQUIRE, immediate = true,
        service = EventHandler.class, property = EventConstants.EVENT_TOPIC + "=" + VmEvent.TOPIC)
@Designate(ocd = WebhookConfig.class, factory = true)
public final class Webhook implements EventHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Webhook.class);
    private static final JsonProvider JSON = JsonProvider.provider();

    private String name;
    private Delivery delivery;

    @Activate
    void activate(WebhookConfig config, Map<String, Object> properties) {
        String pid = String.valueOf(properties.get(Constants.SERVICE_PID));
        name = pid.substring(pid.indexOf('~') + 1);
        apply(config);
    }

    @Modified
    void modified(WebhookConfig config) {
        apply(config);
    }

    private synchronized void apply(WebhookConfig config) {
        WebhookSettings next;
        try {
            next = WebhookSettings.of(config);
        } catch (IllegalArgumentException e) {
            LOG.error("webhook {}: the configuration org.plover.webhook~{} is not used{}: {}", name, name,
                    delivery == null ? ", no events are sent" : ", the old one stays", e.getMessage());
            return;
        }
        Delivery before = delivery;
        List<Delivery.Message> waiting = before == null ? List.of() : before.end();
        Delivery now = new Delivery(name, next);
        waiting.forEach(now::offer);
        delivery = now;
        LOG.info("webhook {}: events of {} of {} are sent to {}, {}", name, next.kinds().isEmpty() ? "all kinds" : next.kinds(),
                next.vms().isEmpty() ? "all VMs" : next.vms(), next, next.secret().isEmpty() ? "not signed" : "signed");
    }

    @Deactivate
    synchronized void deactivate() {
        if (delivery != null) {
            delivery.close();
            delivery = null;
        }
    }

    /** {@inheritDoc} Does not block: Event Admin puts handlers that do on its deny list. */
    @Override
    public void handleEvent(Event event) {
        String vm = text(event, VmEvent.VM);
        String kind = text(event, VmEvent.KIND);
        long sequence = number(event, VmEvent.SEQUENCE);
        long atMillis = number(event, VmEvent.AT_MILLIS);
        String member = text(event, VmEvent.MEMBER);
        String body = JSON.createObjectBuilder().add(VmEvent.VM, vm).add(VmEvent.MEMBER, member).add(VmEvent.KIND, kind)
                .add(VmEvent.TEXT, text(event, VmEvent.TEXT)).add(VmEvent.SEQUENCE, sequence).add(VmEvent.AT_MILLIS, atMillis)
                .add("at", Instant.ofEpochMilli(atMillis).toString()).build().toString();
        synchronized (this) { // not between an old delivery's end and a new one's beginning
            if (delivery != null && delivery.settings().wants(vm, kind)) {
                delivery.offer(new Delivery.Message(vm + "." + member + "." + sequence, vm + ": " + kind, body));
            }
        }
    }

    private static String text(Event event, String property) {
        return event.getProperty(property) instanceof String text ? text : "";
    }

    private static long number(Event event, String property) {
        return event.getProperty(property) instanceof Long number ? number : 0;
    }
}
