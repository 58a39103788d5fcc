package org.plover.consensus.paxos;

import java.lang.reflect.Proxy;

/** The provider with settings that its public constructor does not give. */
public final class SimProviders {
    /** Messages carry one entry or two, so that a link can break between entries that usually arrive together. */
    public static final PaxosProvider NARROW = narrow();
    public static final PaxosProvider AS_SHIPPED = new PaxosProvider();

    private SimProviders() {
    }

    private static PaxosProvider narrow() {
        PaxosProvider provider = new PaxosProvider();
        provider.activate((PaxosConfiguration) Proxy.newProxyInstance(PaxosConfiguration.class.getClassLoader(),
                new Class<?>[] {PaxosConfiguration.class}, (proxy, method, arguments) -> method.getName().equals("batchBytesMax") ? 1024
                        : method.getDefaultValue()));
        return provider;
    }
}
