package org.plover.metrics;

import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.StandardMBean;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.plover.api.status.ProtectedVm;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Registers an MBean {@code org.plover:type=ProtectedVm,name=NAME} for each VM here. */
@Component(service = {}, immediate = true)
public final class VmBeans {
    private static final Logger LOG = LoggerFactory.getLogger(VmBeans.class);

    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    private final Map<ProtectedVm, ObjectName> names = new ConcurrentHashMap<>();

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addVm(ProtectedVm vm) {
        try {
            ObjectName name = new ObjectName("org.plover:type=ProtectedVm,name=" + quoted(vm.name()));
            if (server.isRegistered(name)) {
                server.unregisterMBean(name); // of the service that this one replaces
            }
            server.registerMBean(new StandardMBean(new VmBean(vm), ProtectedVmMBean.class), name);
            names.put(vm, name);
        } catch (JMException e) {
            LOG.warn("VM {} is not to be seen in JMX", vm.name(), e);
        }
    }

    void removeVm(ProtectedVm vm) {
        ObjectName name = names.remove(vm);
        if (name == null || names.containsValue(name)) {
            return;
        }
        try {
            server.unregisterMBean(name);
        } catch (JMException e) {
            LOG.warn("VM {} stays to be seen in JMX, though it is gone", vm.name(), e);
        }
    }

    private static String quoted(String name) {
        return name.matches("[A-Za-z0-9_.-]+") ? name : ObjectName.quote(name);
    }
}
