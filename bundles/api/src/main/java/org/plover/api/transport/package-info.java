/**
 * Transport: ordered message channels among the members of a group.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.transport;
