package org.plover.control.wire;

import java.util.Locale;

/**
 * The words of the control protocol: one JSON object a line each way over a Unix domain socket.
 *
 * <p>A request has a {@code command} and what the command needs, an answer has {@code ok} and then either {@code result} or
 * {@code error}, a sentence for a person, with {@code code}, a word for a program. A client may send its next request on the
 * same connection once it has the answer to the one before.
 */
public final class Protocol {
    /** Name of the socket inside the data directory. */
    public static final String SOCKET_NAME = "plover.sock";
    /** Framework property: the appliance runs only to check the host, then ends. */
    public static final String CHECK_PROPERTY = "plover.check";
    /** Framework property: directory of all that the appliance keeps. */
    public static final String DATA_PROPERTY = "plover.data";

    public static final String COMMAND = "command";
    public static final String VM = "vm";
    /** Name of the member that an order is about. */
    public static final String MEMBER = "member";
    /** A member's new {@code HOST:PORT}. */
    public static final String ADDRESS = "address";
    /** The virtual machine's name, as somebody typed it who has read what it means. */
    public static final String CONFIRMATION = "confirmation";
    /** Name and content of a file to be put elsewhere. */
    public static final String FILE = "file";
    public static final String CONTENT = "content";
    /** List of absolute paths on the appliance's host. */
    public static final String FILES = "files";
    /** Number of a disk, from 0 on. */
    public static final String DISK = "disk";
    /** Length that something shall have. */
    public static final String BYTES = "bytes";
    public static final String SINCE = "since";
    public static final String TIMEOUT_SECONDS = "timeoutSeconds";
    public static final String OK = "ok";
    public static final String RESULT = "result";
    public static final String ERROR = "error";
    public static final String CODE = "code";
    public static final String MESSAGE = "message";

    /** Who answers: process, version, names of its virtual machines. */
    public static final String HELLO = "hello";
    /** List of {@code VmStatus}: all virtual machines, or the one named. */
    public static final String STATUS = "status";
    /** List of {@code EpochRecord} of one virtual machine after {@link #SINCE}. */
    public static final String EPOCHS = "epochs";
    /** {@code VerifyReport} of one virtual machine. */
    public static final String VERIFY = "verify";
    /** {@code DiskVerifyReport} of one virtual machine. */
    public static final String VERIFY_DISKS = "verify-disks";
    /** Object with {@link #MESSAGE}; needs {@link #FILES}. */
    public static final String BACKUP = "backup";
    /** Object with {@link #MESSAGE}; needs {@link #DISK} and {@link #BYTES}. */
    public static final String GROW_DISK = "grow-disk";
    /** Object with {@link #MESSAGE}. */
    public static final String SWITCHOVER = "switchover";
    /** Object with {@link #MESSAGE}; needs {@link #CONFIRMATION}. */
    public static final String FORCE_PRIMARY = "force-primary";
    /** Object with {@link #MESSAGE}; needs {@link #MEMBER}. */
    public static final String LEAVE = "leave";
    /** Object with {@link #MESSAGE}; needs {@link #MEMBER}. */
    public static final String JOIN = "join";
    /** Object with {@link #MESSAGE}, {@link #FILE} and {@link #CONTENT}; needs {@link #MEMBER} and {@link #ADDRESS}. */
    public static final String REPLACE = "replace";
    /**
     * What a new {@link #MEMBER} needs: object with {@link #ADDRESS}, this member's host, {@link #PINS}, {@link #FILES} by name, and the names of
     * {@link #OTHERS}. Needs this member's {@link #FINGERPRINT}; with a {@link #PIN} that key is believed as the member's from then on.
     */
    public static final String ENROL = "enrol";
    public static final String FINGERPRINT = "fingerprint";
    public static final String PIN = "pin";
    public static final String PINS = "pins";
    public static final String OTHERS = "others";
    /** List of {@code Finding}. */
    public static final String DOCTOR = "doctor";
    /** List of {@code VmEvent} of one virtual machine after {@link #SINCE}. */
    public static final String EVENTS = "events";

    /** List of {@code Provider}: the swappable parts that are installed. */
    public static final String PROVIDERS = "providers";

    /** List of {@code PidSettings}: all that can be configured, or what belongs to one {@link #PID}. */
    public static final String SETTINGS = "settings";
    /** Object with {@link #MESSAGE}; needs {@link #PID} and {@link #VALUES}. */
    public static final String SET = "set";
    /** Object with {@link #MESSAGE}, or the refusal that {@link #SET} would be: nothing is changed. */
    public static final String CHECK = "check";
    public static final String PID = "pid";
    /** Object of keys; null takes a key's value away, so that its default counts. */
    public static final String VALUES = "values";

    /** {@code Operation}: begins an order, whose name is its {@link #KIND}, and does not wait for it. */
    public static final String START = "start";
    public static final String KIND = "kind";
    /** List of {@code Operation}, newest first. */
    public static final String OPERATIONS = "operations";
    /** {@code Operation} of this {@link #ID}. */
    public static final String OPERATION = "operation";
    /** {@code Operation} of this {@link #ID}, which is told to end. */
    public static final String CANCEL = "cancel";
    public static final String ID = "id";

    /** {@code Plan} of what would become of the machine that {@link #TEXT} describes; nothing is changed. */
    public static final String PLAN = "plan";
    /** A libvirt domain or a QEMU command line. */
    public static final String TEXT = "text";
    /** List of all three members, as in the configuration. */
    public static final String MEMBERS = "members";
    public static final String BRIDGE = "bridge";

    /** List of {@code UserAccount}. */
    public static final String USERS = "users";
    /** Object with {@link #MESSAGE}; needs {@link #NAME}, {@link #ROLE} and {@link #PASSWORD}. */
    public static final String USER_ADD = "user-add";
    /** Object with {@link #MESSAGE}; needs {@link #NAME} and {@link #PASSWORD}. */
    public static final String USER_PASSWORD = "user-password";
    /** Object with {@link #MESSAGE}; needs {@link #NAME}. */
    public static final String USER_REMOVE = "user-remove";
    /** Object with {@link #MESSAGE}; needs {@link #NAME}. */
    public static final String USER_UNLOCK = "user-unlock";
    public static final String NAME = "name";
    public static final String ROLE = "role";
    public static final String PASSWORD = "password";

    /** Lines around the findings on the standard output of an appliance that runs only to check the host. */
    public static final String FINDINGS_BEGIN = "----- plover findings begin -----";
    public static final String FINDINGS_END = "----- plover findings end -----";

    /** Longest request the server reads; what is longer is no request of ours. */
    public static final int REQUEST_BYTES_MAX = 64 * 1024;
    /** Longest time a client can ask the server to wait for a result. */
    public static final int TIMEOUT_SECONDS_MAX = 3600;

    private Protocol() {
    }

    /** Why a request was not fulfilled, for a program; in JSON in lower case with hyphens. */
    public enum Code {
        /** Not a JSON object, or a field is missing or out of range. */
        BAD_REQUEST,
        /** There is no such command. */
        UNKNOWN_COMMAND,
        /** There is no such virtual machine here. */
        UNKNOWN_VM,
        /** The command is for one virtual machine, and there are several. */
        WHICH_VM,
        /** There is nothing of that name: no such setting, operation or user. */
        NOT_FOUND,
        /** The one who asks may not do that. */
        FORBIDDEN,
        /** It cannot be done at present; nothing has changed. */
        REFUSED,
        /** Somebody has ended it before there was a result. */
        CANCELLED,
        /** No result in time; it may still come about. */
        TIMEOUT,
        /** It was tried and went wrong. */
        FAILED;

        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
