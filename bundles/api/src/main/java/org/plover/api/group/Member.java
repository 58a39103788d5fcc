package org.plover.api.group;

import java.util.Objects;

/**
 * One member of a group.
 *
 * @param index its place in the group's member list, 0 to 2; the same on every member, used in messages and masks
 * @param name  its name in the configuration, unique in the group
 * @param kind  what it can be used for
 * @param host  address or resolvable name at which the other members reach it
 * @param port  TCP port at which the other members reach it
 */
public record Member(int index, String name, MemberKind kind, String host, int port) {
    public Member {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(host, "host");
        if (index < 0 || index >= Group.SIZE) {
            throw new IllegalArgumentException("member " + name + ": index " + index + " is not within 0.." + (Group.SIZE - 1));
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("member " + name + ": port " + port + " is not within 1..65535");
        }
    }

    /** A bit for this member in masks such as the in-sync set. */
    public int bit() {
        return 1 << index;
    }
}
