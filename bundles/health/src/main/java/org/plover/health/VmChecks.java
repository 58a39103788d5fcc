package org.plover.health;

import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.felix.hc.api.HealthCheck;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.plover.api.status.ProtectedVm;

/** Publishes a health check for each VM here, with the tags {@code plover}, {@code vm} and the VM's name. */
@Component(service = {}, immediate = true)
public final class VmChecks {
    private final BundleContext context;
    private final Map<ProtectedVm, ServiceRegistration<HealthCheck>> registrations = new ConcurrentHashMap<>();

    @Activate
    public VmChecks(BundleContext context) {
        this.context = context;
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addVm(ProtectedVm vm) {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put(HealthCheck.NAME, "VM " + vm.name());
        properties.put(HealthCheck.TAGS, new String[] {"plover", "vm", vm.name()});
        registrations.put(vm, context.registerService(HealthCheck.class, new VmCheck(vm), properties));
    }

    void removeVm(ProtectedVm vm) {
        ServiceRegistration<HealthCheck> gone = registrations.remove(vm);
        if (gone != null) {
            gone.unregister();
        }
    }
}
