/**
 * Settings: how a part says which values of its configuration go together, so that a wrong one is refused with the same sentence
 * wherever it comes from.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.settings;
