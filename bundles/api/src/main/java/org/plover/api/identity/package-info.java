/**
 * Identity: the key by which an appliance proves to other members who it is, and the form in which they pin it.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.identity;
