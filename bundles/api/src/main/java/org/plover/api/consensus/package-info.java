/**
 * Consensus: the agreed input log, the views, and the agreed in-sync set of a group.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.consensus;
