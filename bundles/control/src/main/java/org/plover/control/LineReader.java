package org.plover.control;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Lines of UTF-8 text with an upper limit of length, so that a client that sends no end of line takes no end of memory. */
final class LineReader {
    private final InputStream in;
    private final int bytesMax;
    private boolean tooLong;

    LineReader(InputStream in, int bytesMax) {
        this.in = new BufferedInputStream(in);
        this.bytesMax = bytesMax;
    }

    /** The next line that is not blank, or null at the end or when a line is too long. Blocks. */
    String next() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = in.read(); octet >= 0; octet = in.read()) {
            if (octet != '\n') {
                if (line.size() == bytesMax) {
                    tooLong = true;
                    return null;
                }
                line.write(octet);
            } else {
                String text = line.toString(StandardCharsets.UTF_8);
                if (!text.isBlank()) {
                    return text;
                }
                line.reset();
            }
        }
        return null;
    }

    /** Whether it ended because a line was too long. */
    boolean tooLong() {
        return tooLong;
    }
}
