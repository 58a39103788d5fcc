package org.plover.api.control;

/**
 * Somebody who may log in.
 *
 * @param name            name to log in with
 * @param role            what this user may do
 * @param lockedForMillis for how long logins under this name are refused because of wrong passwords; 0 if they are not
 */
public record UserAccount(String name, AccessRole role, long lockedForMillis) {
}
