/**
 * Health: findings of the pre-flight checks, each with its remedy.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.health;
