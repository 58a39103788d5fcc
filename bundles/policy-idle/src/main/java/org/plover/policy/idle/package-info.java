/** Sync policy that ends an epoch when both guests have gone idle. */
package org.plover.policy.idle;
