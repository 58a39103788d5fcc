package org.plover.demo.chaos;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.Test;

public class PcapTest {

    @Test
    public void shouldReadFramesInEitherByteOrder() throws IOException {
        for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
            ByteBuffer file = ByteBuffer.allocate(24 + 16 + 3 + 16 + 1).order(order);
            file.putInt(0xa1b2c3d4).putShort((short) 2).putShort((short) 4).putInt(0).putInt(0).putInt(64).putInt(1);
            file.putInt(0x90000000).putInt(7).putInt(3).putInt(60).put(new byte[] {1, 2, 3});
            file.putInt(1).putInt(999_999).putInt(1).putInt(1).put((byte) 9);
            Pcap pcap = new Pcap(new ByteArrayInputStream(file.array()));
            Pcap.Frame frame = pcap.next();
            assertEquals(0x90000000L * 1_000_000 + 7, frame.epochMicros());
            assertArrayEquals(new byte[] {1, 2, 3}, frame.bytes());
            assertEquals(1_999_999, pcap.next().epochMicros());
            assertNull(pcap.next());
        }
    }

    @Test
    public void shouldRefuseWhatIsNoCapture() {
        assertThrows(IOException.class, () -> new Pcap(new ByteArrayInputStream(new byte[24])));
    }
}
