package org.plover.disk.nbd;

import java.nio.ByteBuffer;

/** What a client asks for. The reader of a connection uses one again and again; those that another thread completes are copies. */
final class Request {
    int flags;
    int type;
    long cookie;
    long offset;
    /** Unsigned 32 bits on the wire. */
    long length;

    void parse(ByteBuffer in) {
        flags = Short.toUnsignedInt(in.getShort());
        type = Short.toUnsignedInt(in.getShort());
        cookie = in.getLong();
        offset = in.getLong();
        length = Integer.toUnsignedLong(in.getInt());
    }

    Request copy() {
        Request copy = new Request();
        copy.flags = flags;
        copy.type = type;
        copy.cookie = cookie;
        copy.offset = offset;
        copy.length = length;
        return copy;
    }

    boolean forced() {
        return (flags & NbdWire.FUA) != 0;
    }

    /** 0, or why an export cannot do that. */
    int error(Export export, boolean structured, boolean allocation) {
        int allowed = flagsAllowed(structured);
        if (allowed < 0 || type == NbdWire.CMD_BLOCK_STATUS && !allocation) {
            return NbdWire.EINVAL;
        }
        if (type == NbdWire.CMD_WRITE_ZEROES && (flags & NbdWire.FAST_ZERO) != 0) {
            return NbdWire.ENOTSUP;
        }
        if ((flags & ~allowed) != 0) {
            return NbdWire.EINVAL;
        }
        if (type == NbdWire.CMD_FLUSH) {
            return 0;
        }
        boolean changes = type == NbdWire.CMD_WRITE || type == NbdWire.CMD_WRITE_ZEROES || type == NbdWire.CMD_TRIM;
        if (changes && export.readOnly()) {
            return NbdWire.EPERM;
        }
        long mask = export.sectorBytes() - 1;
        if (length == 0 || (offset & mask) != 0 || (length & mask) != 0) {
            return NbdWire.EINVAL;
        }
        if (offset < 0 || offset > export.bytes() || length > export.bytes() - offset) {
            return type == NbdWire.CMD_WRITE || type == NbdWire.CMD_WRITE_ZEROES ? NbdWire.ENOSPC : NbdWire.EINVAL;
        }
        if (type == NbdWire.CMD_READ && length > NbdWire.PAYLOAD_BYTES_MAX) {
            return (flags & NbdWire.DF) != 0 ? NbdWire.EOVERFLOW : NbdWire.EINVAL;
        }
        return 0;
    }

    /** FUA may be set on any command and means nothing where nothing is written; -1 for an unknown command. */
    private int flagsAllowed(boolean structured) {
        switch (type) {
            case NbdWire.CMD_READ:
                return NbdWire.FUA | (structured ? NbdWire.DF : 0);
            case NbdWire.CMD_WRITE:
            case NbdWire.CMD_FLUSH:
            case NbdWire.CMD_TRIM:
            case NbdWire.CMD_CACHE:
                return NbdWire.FUA;
            case NbdWire.CMD_WRITE_ZEROES:
                return NbdWire.FUA | NbdWire.NO_HOLE;
            case NbdWire.CMD_BLOCK_STATUS:
                return NbdWire.FUA | NbdWire.REQ_ONE;
            default:
                return -1;
        }
    }

    @Override
    public String toString() {
        String[] names = {"read", "write", "disconnection", "flush", "trim", "prefetch", "zeroing", "block status"};
        String name = type < names.length ? names[type] : "command " + type;
        return type == NbdWire.CMD_FLUSH ? name : name + " of " + length + " bytes at " + offset;
    }
}
