/** Output gate that holds frames by epoch. */
package org.plover.gate.epoch;
