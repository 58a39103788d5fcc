/**
 * Output gate: the guest's outgoing frames, held per epoch until they may leave the host.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.gate;
