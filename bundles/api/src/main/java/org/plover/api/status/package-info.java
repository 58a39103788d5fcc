/**
 * Replication status: what an operator, a shell or a metrics page may know and ask of a protected virtual machine.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.status;
