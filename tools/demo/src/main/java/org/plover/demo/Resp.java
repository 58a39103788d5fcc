package org.plover.demo;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The Redis serialization protocol, version 2: requests out, replies in.
 *
 * <p>A reply is a {@link String} (simple and bulk strings), a {@link Long}, a {@link List} of replies, {@link #NIL}, or a
 * {@link Failure}.
 *
 * @see <a href="https://redis.io/docs/latest/develop/reference/protocol-spec/">RESP specification</a>
 */
public final class Resp {

    /** The null reply: no such key. */
    public static final Object NIL = new Object() {
        @Override
        public String toString() {
            return "nil";
        }
    };

    /** An error reply, such as {@code OOM command not allowed}. */
    public record Failure(String message) { }

    /** What the server sent is not RESP; the connection cannot be used any longer. */
    public static final class ProtocolException extends RuntimeException {
        private static final long serialVersionUID = 1;

        public ProtocolException(String message) {
            super(message);
        }
    }

    private Resp() { }

    /** One command as an array of bulk strings. */
    public static byte[] command(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(32 * words.length);
        out.writeBytes(ascii("*" + words.length + "\r\n"));
        for (String word : words) {
            byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
            out.writeBytes(ascii("$" + bytes.length + "\r\n"));
            out.writeBytes(bytes);
            out.writeBytes(ascii("\r\n"));
        }
        return out.toByteArray();
    }

    /** Several commands to be sent in one go. */
    static byte[] pipeline(byte[]... commands) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] command : commands) {
            out.writeBytes(command);
        }
        return out.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * Collects bytes as they come and hands out whole replies. A reply that is not complete yet is parsed again from its
     * start when more has come: replies here are short, and that keeps the parser without state.
     */
    public static final class Parser {
        private static final int REPLY_BYTES_MAX = 16 << 20;

        /** Unparsed bytes are {@code 0..position}. */
        private ByteBuffer received = ByteBuffer.allocate(4096);

        /** Room to read into; fill it (advancing its position), then ask {@link #next()}. */
        public ByteBuffer room() {
            if (!received.hasRemaining()) {
                if (received.capacity() >= REPLY_BYTES_MAX) {
                    throw new ProtocolException("reply longer than " + REPLY_BYTES_MAX + " bytes");
                }
                received = ByteBuffer.wrap(Arrays.copyOf(received.array(), 2 * received.capacity()));
                received.position(received.capacity() / 2);
            }
            return received;
        }

        /** The next whole reply, or null when more bytes are needed. */
        public Object next() {
            ByteBuffer view = received.duplicate().flip();
            Object reply = parse(view);
            if (reply != null) {
                received.flip().position(view.position());
                received.compact();
            }
            return reply;
        }

        private static Object parse(ByteBuffer in) {
            String line = line(in);
            if (line == null) {
                return null;
            }
            if (line.isEmpty()) {
                throw new ProtocolException("empty line where a reply should start");
            }
            String rest = line.substring(1);
            return switch (line.charAt(0)) {
                case '+' -> rest;
                case '-' -> new Failure(rest);
                case ':' -> number(rest);
                case '$' -> bulk(in, number(rest));
                case '*' -> array(in, number(rest));
                default -> throw new ProtocolException("not a reply: '" + line + "'");
            };
        }

        private static Object bulk(ByteBuffer in, long length) {
            if (length < 0) {
                return NIL;
            }
            if (length > REPLY_BYTES_MAX) {
                throw new ProtocolException("bulk string of " + length + " bytes announced");
            }
            if (in.remaining() < length + 2) {
                return null;
            }
            byte[] bytes = new byte[(int) length];
            in.get(bytes);
            if (in.get() != '\r' || in.get() != '\n') {
                throw new ProtocolException("bulk string of " + length + " bytes does not end where announced");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }

        private static Object array(ByteBuffer in, long length) {
            if (length < 0) {
                return NIL;
            }
            List<Object> elements = new ArrayList<>();
            for (long i = 0; i < length; i++) {
                Object element = parse(in);
                if (element == null) {
                    return null;
                }
                elements.add(element);
            }
            return elements;
        }

        private static long number(String digits) {
            try {
                return Long.parseLong(digits);
            } catch (NumberFormatException e) {
                throw new ProtocolException("not a number in a reply: '" + digits + "'");
            }
        }

        private static String line(ByteBuffer in) {
            for (int i = in.position(); i + 1 < in.limit(); i++) {
                if (in.get(i) == '\r' && in.get(i + 1) == '\n') {
                    byte[] bytes = new byte[i - in.position()];
                    in.get(bytes).position(i + 2);
                    return new String(bytes, StandardCharsets.UTF_8);
                }
            }
            return null;
        }
    }
}
