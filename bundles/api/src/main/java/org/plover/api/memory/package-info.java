/**
 * Guest memory as the appliance sees it: a mapping and sets of its pages.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.memory;
