package org.plover.api.control;

import java.io.IOException;
import java.util.List;

/**
 * Service: who may log in over HTTP. Changes are on the disk when a method returns. Thread-safe.
 *
 * <p>Every method throws an IllegalArgumentException with a sentence for the operator if the change cannot be; nothing has changed
 * then.
 */
public interface UserDirectory {
    /** All users, by name. */
    List<UserAccount> list();

    void add(String name, AccessRole role, char[] password) throws IOException;

    /** Gives the user another password; ends the sessions that were begun with the former one. */
    void password(String name, char[] password) throws IOException;

    /** Takes the user out and ends its sessions. The last administrator stays. */
    void remove(String name) throws IOException;

    /** Forgets the wrong passwords that were tried under this name, and from every address. */
    void unlock(String name);
}
