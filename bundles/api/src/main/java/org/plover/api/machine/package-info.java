/**
 * Machine: a guest that is started, stopped, saved, loaded, fed with frames and watched for dirty pages.
 */
@org.osgi.annotation.versioning.Version("0.2.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.machine;
