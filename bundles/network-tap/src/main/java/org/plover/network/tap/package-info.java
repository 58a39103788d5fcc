/** Network ports on tap interfaces of Linux. */
package org.plover.network.tap;
