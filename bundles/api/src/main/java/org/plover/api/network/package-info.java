/**
 * Network port: the place where the guest's interface meets the host's network.
 */
@org.osgi.annotation.versioning.Version("0.2.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.network;
