/**
 * A group: the three members (two replicas and a witness) that keep one virtual machine alive.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.group;
