package org.plover.network.tap;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/** Frames written out by hand, so that tests do not share a mistake with the code. */
final class TestFrames {
    private TestFrames() {
    }

    /** Bytes from hex digits; blanks are for the reader. */
    static ByteBuffer hex(String... parts) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(String.join("", parts).replace(" ", "")));
    }

    static String hex(ByteBuffer frame) {
        byte[] bytes = new byte[frame.remaining()];
        frame.get(frame.position(), bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
