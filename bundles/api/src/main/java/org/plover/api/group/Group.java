package org.plover.api.group;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The membership that the configuration of one protected VM names: two replicas and a witness, and which of them this
 * process is. Every member must be configured with the same list in the same order; the transport compares
 * {@link #fingerprint()} when it connects.
 *
 * @param name    name of the group, which is the name of the protected VM
 * @param self    index of this member
 * @param members all three members, ordered by index
 */
public record Group(String name, int self, List<Member> members) {
    /** Members of a group: primary, backup and witness. */
    public static final int SIZE = 3;
    /** Members that make a majority. */
    public static final int MAJORITY = SIZE / 2 + 1;

    public Group {
        Objects.requireNonNull(name, "name");
        members = List.copyOf(members);
        if (members.size() != SIZE) {
            throw new IllegalArgumentException("group " + name + ": needs exactly " + SIZE
                    + " members (two replicas and a witness), has " + members.size());
        }
        Set<String> names = new HashSet<>();
        for (int i = 0; i < SIZE; i++) {
            if (members.get(i).index() != i) {
                throw new IllegalArgumentException("group " + name + ": members are not ordered by index");
            }
            if (!names.add(members.get(i).name())) {
                throw new IllegalArgumentException("group " + name + ": two members are called " + members.get(i).name());
            }
        }
        long witnesses = members.stream().filter(m -> m.kind() == MemberKind.WITNESS).count();
        if (witnesses != 1) {
            throw new IllegalArgumentException("group " + name + ": needs exactly one witness, has " + witnesses);
        }
        if (self < 0 || self >= SIZE) {
            throw new IllegalArgumentException("group " + name + ": self " + self + " is not within 0.." + (SIZE - 1));
        }
    }

    /** This process. */
    public Member me() {
        return members.get(self);
    }

    /** The member with the given index. */
    public Member member(int index) {
        return members.get(index);
    }

    /** The other replica as seen from a replica; for the witness, the first replica. */
    public Member otherReplica() {
        return members.stream().filter(m -> m.kind() == MemberKind.REPLICA && m.index() != self).findFirst().orElseThrow();
    }

    /** The witness. */
    public Member witness() {
        return members.stream().filter(m -> m.kind() == MemberKind.WITNESS).findFirst().orElseThrow();
    }

    /** The replica that boots the guest when the group is formed for the first time. */
    public Member firstReplica() {
        return members.stream().filter(m -> m.kind() == MemberKind.REPLICA).findFirst().orElseThrow();
    }

    /** Text that is equal on two members exactly if they were configured with the same membership. */
    public String fingerprint() {
        return name + members.stream()
                .map(m -> m.name() + "=" + m.kind() + "@" + m.host() + ":" + m.port())
                .collect(Collectors.joining(",", "[", "]"));
    }

    /** Names of the members in a mask, for logs and status. */
    public List<String> names(int mask) {
        return members.stream().filter(m -> (mask & m.bit()) != 0).map(Member::name).toList();
    }
}
