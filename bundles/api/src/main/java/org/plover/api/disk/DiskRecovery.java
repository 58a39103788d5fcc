package org.plover.api.disk;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Brings images up to date while no appliance runs, so that others may read them. Found by {@link java.util.ServiceLoader}, for the
 * command line.
 */
public interface DiskRecovery {
    /** Whether this provider has kept something in that directory, which was a {@link DisksSpec#stateDir}. */
    boolean knows(Path stateDir);

    /**
     * Puts everything that was durable into the images and releases them. Blocks.
     *
     * @return a sentence: which images, as of which epoch
     * @throws IOException if that cannot be done, for instance because an appliance uses them; says what to do
     */
    String recover(Path stateDir) throws IOException;
}
