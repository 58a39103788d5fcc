/**
 * Commands: what an operator may ask of the appliance, the same through every door (command line, REST, shell).
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.control;
