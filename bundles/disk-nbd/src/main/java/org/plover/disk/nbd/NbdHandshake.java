package org.plover.disk.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.plover.disk.nbd.NbdWire.ProtocolException;

/** Fixed newstyle negotiation of one connection; blocks for as long as the client takes. Lengths are checked before anything is read. */
final class NbdHandshake {
    private static final int EXPORT_NAME_PADDING_BYTES = 124;

    private final SocketChannel channel;
    private final List<Export> exports;
    private final BooleanSupplier closing;
    private final ByteBuffer in = ByteBuffer.allocate(NbdWire.OPTION_BYTES_MAX);
    private final ByteBuffer out = ByteBuffer.allocate(2 * NbdWire.STRING_BYTES_MAX);

    private boolean noZeroes;
    private boolean structured;
    /** The export whose allocation was asked for; null if none. */
    private Export allocationOf;

    NbdHandshake(SocketChannel channel, List<Export> exports, BooleanSupplier closing) {
        this.channel = channel;
        this.exports = exports;
        this.closing = closing;
    }

    /**
     * What was agreed.
     *
     * @param structured reads and block status are answered in chunks
     * @param allocation block status may be asked for
     */
    record Session(Export export, boolean structured, boolean allocation) {}

    /**
     * Negotiates until the client chooses an export.
     *
     * @return null if the client went away in an orderly way
     * @throws ProtocolException if the client breaks the protocol or wants what is not there and cannot be told
     */
    Session run() throws IOException {
        out.putLong(NbdWire.MAGIC).putLong(NbdWire.OPTION_MAGIC).putShort((short) (NbdWire.FIXED_NEWSTYLE | NbdWire.NO_ZEROES));
        send();
        if (!read(4)) {
            return null;
        }
        int flags = in.getInt();
        if ((flags & ~(NbdWire.FIXED_NEWSTYLE | NbdWire.NO_ZEROES)) != 0) {
            throw new ProtocolException("unknown client flags 0x" + Integer.toHexString(flags));
        }
        noZeroes = (flags & NbdWire.NO_ZEROES) != 0;
        while (true) {
            if (!read(NbdWire.OPTION_HEADER_BYTES)) {
                return null;
            }
            if (in.getLong() != NbdWire.OPTION_MAGIC) {
                throw new ProtocolException("an option without its magic number");
            }
            int option = in.getInt();
            long bytes = Integer.toUnsignedLong(in.getInt());
            if (bytes > NbdWire.OPTION_BYTES_MAX) {
                skip(option, bytes);
                reply(option, NbdWire.REP_ERR_TOO_BIG, "an option of " + bytes + " bytes is too long");
                continue;
            }
            if (bytes > 0 && !read((int) bytes)) {
                throw new EOFException();
            }
            if (bytes == 0) {
                in.clear().limit(0);
            }
            if (option == NbdWire.OPT_ABORT) {
                reply(option, NbdWire.REP_ACK, "");
                return null;
            }
            Session session = answer(option);
            if (session != null) {
                return session;
            }
        }
    }

    private Session answer(int option) throws IOException {
        if (closing.getAsBoolean()) {
            reply(option, NbdWire.REP_ERR_SHUTDOWN, "the server is closing");
            return null;
        }
        switch (option) {
            case NbdWire.OPT_EXPORT_NAME:
                return exportName();
            case NbdWire.OPT_LIST:
                list();
                return null;
            case NbdWire.OPT_INFO:
            case NbdWire.OPT_GO:
                return infoOrGo(option);
            case NbdWire.OPT_STRUCTURED_REPLY:
                if (in.hasRemaining()) {
                    reply(option, NbdWire.REP_ERR_INVALID, "this option has no data");
                } else {
                    structured = true;
                    reply(option, NbdWire.REP_ACK, "");
                }
                return null;
            case NbdWire.OPT_LIST_META_CONTEXT:
            case NbdWire.OPT_SET_META_CONTEXT:
                metaContext(option);
                return null;
            default:
                reply(option, NbdWire.REP_ERR_UNSUP, "not supported");
                return null;
        }
    }

    private Session exportName() throws IOException {
        String name = string(in.remaining());
        Export export = name == null ? null : export(name);
        if (export == null) {
            throw new ProtocolException("there is no export " + printable(name) + ", and this way to ask has no answer for that");
        }
        out.putLong(export.bytes()).putShort((short) NbdWire.transmissionFlags(export, structured));
        if (!noZeroes) {
            for (int i = 0; i < EXPORT_NAME_PADDING_BYTES; i++) {
                out.put((byte) 0);
            }
        }
        send();
        return session(export);
    }

    private void list() throws IOException {
        if (in.hasRemaining()) {
            reply(NbdWire.OPT_LIST, NbdWire.REP_ERR_INVALID, "this option has no data");
            return;
        }
        for (Export export : exports) {
            byte[] name = bytes(export.name());
            replyHeader(NbdWire.OPT_LIST, NbdWire.REP_SERVER, 4 + name.length);
            out.putInt(name.length).put(name);
            send();
        }
        reply(NbdWire.OPT_LIST, NbdWire.REP_ACK, "");
    }

    private Session infoOrGo(int option) throws IOException {
        String name = lengthAndString();
        if (name == null || in.remaining() < 2) {
            reply(option, NbdWire.REP_ERR_INVALID, "malformed");
            return null;
        }
        int requests = Short.toUnsignedInt(in.getShort());
        if (in.remaining() != 2 * requests) {
            reply(option, NbdWire.REP_ERR_INVALID, "malformed");
            return null;
        }
        boolean blockSizeAsked = false;
        boolean nameAsked = false;
        for (int i = 0; i < requests; i++) {
            int request = Short.toUnsignedInt(in.getShort());
            blockSizeAsked |= request == NbdWire.INFO_BLOCK_SIZE;
            nameAsked |= request == NbdWire.INFO_NAME;
        }
        Export export = export(name);
        if (export == null) {
            reply(option, NbdWire.REP_ERR_UNKNOWN, "there is no export " + printable(name));
            return null;
        }
        // A client that does not ask assumes 512 bytes.
        if (option == NbdWire.OPT_GO && !blockSizeAsked && export.sectorBytes() > 512) {
            reply(option, NbdWire.REP_ERR_BLOCK_SIZE_REQD, "the disk has sectors of " + export.sectorBytes() + " bytes");
            return null;
        }
        replyHeader(option, NbdWire.REP_INFO, 12);
        out.putShort((short) NbdWire.INFO_EXPORT).putLong(export.bytes())
                .putShort((short) NbdWire.transmissionFlags(export, structured));
        if (nameAsked) {
            byte[] is = bytes(export.name());
            replyHeader(option, NbdWire.REP_INFO, 2 + is.length);
            out.putShort((short) NbdWire.INFO_NAME).put(is);
        }
        replyHeader(option, NbdWire.REP_INFO, 14);
        out.putShort((short) NbdWire.INFO_BLOCK_SIZE).putInt(export.sectorBytes())
                .putInt(Math.max(NbdWire.BLOCK_BYTES_PREFERRED, export.sectorBytes())).putInt(NbdWire.PAYLOAD_BYTES_MAX);
        reply(option, NbdWire.REP_ACK, "");
        return option == NbdWire.OPT_GO ? session(export) : null;
    }

    private void metaContext(int option) throws IOException {
        boolean set = option == NbdWire.OPT_SET_META_CONTEXT;
        if (set) {
            allocationOf = null;
        }
        String name = lengthAndString();
        if (!structured || name == null || in.remaining() < 4) {
            reply(option, NbdWire.REP_ERR_INVALID, structured ? "malformed" : "structured replies must be agreed on before");
            return;
        }
        int queries = in.getInt();
        boolean wanted = !set && queries == 0;
        // Not a loop to `queries`, which may be any number: each takes four bytes at least.
        int left = queries;
        while (left != 0 && in.hasRemaining()) {
            String query = lengthAndString();
            if (query == null) {
                break;
            }
            wanted |= query.equals(NbdWire.BASE_ALLOCATION) || !set && query.equals("base:");
            left--;
        }
        if (left != 0 || in.hasRemaining()) {
            reply(option, NbdWire.REP_ERR_INVALID, "malformed");
            return;
        }
        Export export = export(name);
        if (export == null) {
            reply(option, NbdWire.REP_ERR_UNKNOWN, "there is no export " + printable(name));
            return;
        }
        if (wanted) {
            allocationOf = set ? export : null;
            byte[] context = bytes(NbdWire.BASE_ALLOCATION);
            replyHeader(option, NbdWire.REP_META_CONTEXT, 4 + context.length);
            out.putInt(set ? NbdWire.BASE_ALLOCATION_ID : 0).put(context);
        }
        reply(option, NbdWire.REP_ACK, "");
    }

    private Session session(Export export) {
        return new Session(export, structured, structured && allocationOf == export);
    }

    /** The empty name means the only export, if there is but one. */
    private Export export(String name) {
        if (name.isEmpty() && exports.size() == 1) {
            return exports.get(0);
        }
        for (Export export : exports) {
            if (export.name().equals(name)) {
                return export;
            }
        }
        return null;
    }

    /** Null if what is there is no such thing. */
    private String lengthAndString() {
        return in.remaining() < 4 ? null : string(Integer.toUnsignedLong(in.getInt()));
    }

    private String string(long bytes) {
        if (bytes > in.remaining() || bytes > NbdWire.STRING_BYTES_MAX) {
            return null;
        }
        byte[] string = new byte[(int) bytes];
        in.get(string);
        return new String(string, StandardCharsets.UTF_8);
    }

    private static byte[] bytes(String string) {
        return string.getBytes(StandardCharsets.UTF_8);
    }

    /** What a client sent, fit for a log line. */
    private static String printable(String name) {
        if (name == null) {
            return "of so long a name";
        }
        String some = name.length() > 64 ? name.substring(0, 64) + "..." : name;
        return '"' + some.replaceAll("[^\\x20-\\x7e]", "?") + '"';
    }

    // --- bytes --------------------------------------------------------------------------------------------------------

    /** @return false if the stream ends before the first byte */
    private boolean read(int bytes) throws IOException {
        in.clear().limit(bytes);
        while (in.hasRemaining()) {
            if (channel.read(in) < 0) {
                if (in.position() == 0) {
                    return false;
                }
                throw new EOFException();
            }
        }
        in.flip();
        return true;
    }

    private void skip(int option, long bytes) throws IOException {
        if (bytes > NbdWire.OPTION_BYTES_SKIPPED_MAX) {
            throw new ProtocolException("option " + option + " with " + bytes + " bytes");
        }
        for (long left = bytes; left > 0; left -= in.limit()) {
            if (!read((int) Math.min(left, in.capacity()))) {
                throw new EOFException();
            }
        }
    }

    private void replyHeader(int option, int type, int bytes) {
        out.order(ByteOrder.BIG_ENDIAN).putLong(NbdWire.OPTION_REPLY_MAGIC).putInt(option).putInt(type).putInt(bytes);
    }

    private void reply(int option, int type, String message) throws IOException {
        byte[] text = bytes(message);
        replyHeader(option, type, text.length);
        out.put(text);
        send();
    }

    private void send() throws IOException {
        out.flip();
        while (out.hasRemaining()) {
            channel.write(out);
        }
        out.clear();
    }
}
