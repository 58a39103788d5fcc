package org.plover.disk.nbd;

/** Numbers of the NBD protocol (the network block device project's {@code doc/proto.md}), and this server's limits. */
final class NbdWire {
    static final long MAGIC = 0x4e42444d41474943L;
    static final long OPTION_MAGIC = 0x49484156454f5054L;
    static final long OPTION_REPLY_MAGIC = 0x3e889045565a9L;
    static final int REQUEST_MAGIC = 0x25609513;
    static final int SIMPLE_REPLY_MAGIC = 0x67446698;
    static final int CHUNK_MAGIC = 0x668e33ef;

    // Handshake flags; the client's have the same values.
    static final int FIXED_NEWSTYLE = 1;
    static final int NO_ZEROES = 2;

    static final int OPT_EXPORT_NAME = 1;
    static final int OPT_ABORT = 2;
    static final int OPT_LIST = 3;
    static final int OPT_INFO = 6;
    static final int OPT_GO = 7;
    static final int OPT_STRUCTURED_REPLY = 8;
    static final int OPT_LIST_META_CONTEXT = 9;
    static final int OPT_SET_META_CONTEXT = 10;

    static final int REP_ACK = 1;
    static final int REP_SERVER = 2;
    static final int REP_INFO = 3;
    static final int REP_META_CONTEXT = 4;
    static final int REP_ERR_UNSUP = 0x80000001;
    static final int REP_ERR_INVALID = 0x80000003;
    static final int REP_ERR_UNKNOWN = 0x80000006;
    static final int REP_ERR_SHUTDOWN = 0x80000007;
    static final int REP_ERR_BLOCK_SIZE_REQD = 0x80000008;
    static final int REP_ERR_TOO_BIG = 0x80000009;

    static final int INFO_EXPORT = 0;
    static final int INFO_NAME = 1;
    static final int INFO_BLOCK_SIZE = 3;

    // Transmission flags.
    static final int HAS_FLAGS = 1;
    static final int READ_ONLY = 1 << 1;
    static final int SEND_FLUSH = 1 << 2;
    static final int SEND_FUA = 1 << 3;
    static final int SEND_TRIM = 1 << 5;
    static final int SEND_WRITE_ZEROES = 1 << 6;
    static final int SEND_DF = 1 << 7;
    static final int CAN_MULTI_CONN = 1 << 8;
    static final int SEND_CACHE = 1 << 10;

    static final int CMD_READ = 0;
    static final int CMD_WRITE = 1;
    static final int CMD_DISC = 2;
    static final int CMD_FLUSH = 3;
    static final int CMD_TRIM = 4;
    static final int CMD_CACHE = 5;
    static final int CMD_WRITE_ZEROES = 6;
    static final int CMD_BLOCK_STATUS = 7;

    // Command flags.
    static final int FUA = 1;
    static final int NO_HOLE = 1 << 1;
    static final int DF = 1 << 2;
    static final int REQ_ONE = 1 << 3;
    static final int FAST_ZERO = 1 << 4;

    static final int CHUNK_DONE = 1;
    static final int CHUNK_NONE = 0;
    static final int CHUNK_OFFSET_DATA = 1;
    static final int CHUNK_OFFSET_HOLE = 2;
    static final int CHUNK_BLOCK_STATUS = 5;
    static final int CHUNK_ERROR = 0x8001;

    static final int STATE_HOLE = 1;
    static final int STATE_ZERO = 2;

    static final int EPERM = 1;
    static final int EIO = 5;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;
    static final int EOVERFLOW = 75;
    static final int ENOTSUP = 95;
    static final int ESHUTDOWN = 108;

    static final int OPTION_HEADER_BYTES = 16;
    static final int OPTION_REPLY_HEADER_BYTES = 20;
    static final int REQUEST_BYTES = 28;
    static final int SIMPLE_REPLY_BYTES = 16;
    static final int CHUNK_HEADER_BYTES = 20;

    /** The only metadata context: what is allocated. */
    static final String BASE_ALLOCATION = "base:allocation";
    static final int BASE_ALLOCATION_ID = 1;

    /** Longest payload of a request or of an answer. */
    static final int PAYLOAD_BYTES_MAX = 32 << 20;
    static final int BLOCK_BYTES_PREFERRED = 4096;
    /** Longest data of an option that is looked at; longer than any that can be right (two strings of 4096 bytes and some numbers). */
    static final int OPTION_BYTES_MAX = 16 << 10;
    /** Longest string. */
    static final int STRING_BYTES_MAX = 4096;
    /** An option longer than {@link #OPTION_BYTES_MAX} is read and refused up to this length; beyond, the connection ends. */
    static final int OPTION_BYTES_SKIPPED_MAX = 1 << 20;

    private NbdWire() {}

    /** What an export can do, for the client. */
    static int transmissionFlags(Export export, boolean structured) {
        return HAS_FLAGS | SEND_FLUSH | CAN_MULTI_CONN | SEND_CACHE
                | (structured ? SEND_DF : 0)
                | (export.readOnly() ? READ_ONLY : SEND_FUA | SEND_TRIM | SEND_WRITE_ZEROES);
    }

    /** The peer broke the protocol; the connection ends. */
    static final class ProtocolException extends java.io.IOException {
        private static final long serialVersionUID = 1L;

        ProtocolException(String message) {
            super(message);
        }
    }
}
