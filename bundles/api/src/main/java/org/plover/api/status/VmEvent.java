package org.plover.api.status;

/**
 * Something that happened to a protected VM, as one member saw it.
 *
 * @param sequence number that only grows on this member, over restarts too; gaps say nothing
 * @param atMillis when, by this host's clock, in milliseconds since 1970
 * @param kind     what sort of event, in lower case with hyphens: {@code failover}, {@code member-lost}; docs/operations.md lists them
 * @param text     one plain sentence for the operator
 */
public record VmEvent(long sequence, long atMillis, String kind, String text) {
    /** Topic on which each event is sent to the OSGi Event Admin, if there is one, with the properties below. */
    public static final String TOPIC = "org/plover/vm/EVENT";
    /** Property: name of the VM, text. */
    public static final String VM = "vm";
    /** Property: name of the member that saw it, text. */
    public static final String MEMBER = "member";
    /** Property: {@link #kind}, text. */
    public static final String KIND = "kind";
    /** Property: {@link #text}. */
    public static final String TEXT = "text";
    /** Property: {@link #sequence}, a Long. */
    public static final String SEQUENCE = "sequence";
    /** Property: {@link #atMillis}, a Long. */
    public static final String AT_MILLIS = "atMillis";
}
