/** Sync policy that ends epochs at a fixed interval, whatever the guests do. */
package org.plover.policy.str;
