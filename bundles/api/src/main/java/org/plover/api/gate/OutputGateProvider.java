package org.plover.api.gate;

/** Service: creates output gates. Providers carry the property {@code gate.id}. */
public interface OutputGateProvider {
    /** Service property that names the provider. */
    String ID = "gate.id";

    /** Name of this provider, for instance {@code epoch}. */
    String id();

    /** A closed gate: it discards until it is told otherwise. */
    OutputGate create(String vm, FrameSink sink);
}
