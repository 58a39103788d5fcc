package org.plover.api.machine;

/** How a machine begins. */
public enum StartMode {
    /** The guest boots and runs. */
    BOOT,
    /** The guest is built but executes nothing until a device state has been loaded and it is resumed. */
    AWAIT_STATE
}
