package org.plover.control;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.plover.api.consensus.ConsensusProvider;
import org.plover.api.disk.DiskProvider;
import org.plover.api.gate.OutputGateProvider;
import org.plover.api.hasher.PageHasherProvider;
import org.plover.api.machine.MachineProvider;
import org.plover.api.network.NetworkPortProvider;
import org.plover.api.policy.SyncPolicy;
import org.plover.api.transport.TransportProvider;
import org.plover.control.wire.Provider;

/** The swappable parts that are installed and run now, by kind and id. */
final class Providers implements Supplier<List<Provider>> {
    private static final List<Kind> KINDS = List.of(
            new Kind("consensus", ConsensusProvider.class, ConsensusProvider.ID, ""),
            new Kind("disk", DiskProvider.class, DiskProvider.ID, ""),
            new Kind("gate", OutputGateProvider.class, OutputGateProvider.ID, ""),
            new Kind("hasher", PageHasherProvider.class, PageHasherProvider.ID, "hashers"),
            new Kind("machine", MachineProvider.class, MachineProvider.ID, ""),
            new Kind("network", NetworkPortProvider.class, NetworkPortProvider.ID, ""),
            new Kind("policy", SyncPolicy.class, SyncPolicy.ID, "policy"),
            new Kind("transport", TransportProvider.class, TransportProvider.ID, ""));

    private record Kind(String name, Class<?> service, String idProperty, String setting) {
    }

    private final BundleContext context;

    Providers(BundleContext context) {
        this.context = context;
    }

    @Override
    public List<Provider> get() {
        List<Provider> found = new ArrayList<>();
        for (Kind kind : KINDS) {
            for (ServiceReference<?> reference : references(kind.service())) {
                found.add(new Provider(kind.name(), String.valueOf(reference.getProperty(kind.idProperty())),
                        reference.getBundle().getSymbolicName(), reference.getBundle().getVersion().toString(), kind.setting()));
            }
        }
        found.sort(Comparator.comparing(Provider::kind).thenComparing(Provider::id));
        return found;
    }

    private List<ServiceReference<?>> references(Class<?> service) {
        try {
            ServiceReference<?>[] references = context.getAllServiceReferences(service.getName(), null);
            // One that goes away at this moment has no bundle any more.
            return references == null ? List.of() : Arrays.stream(references).filter(r -> r.getBundle() != null).toList();
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException("there is no filter that could be wrong", e);
        }
    }
}
