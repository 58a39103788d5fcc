package org.plover.network.tap;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;

import org.junit.Test;

public class MacAddressTest {
    @Test
    public void shouldReadAndWriteTheUsualForm() {
        assertEquals(0x5254_00ab_cdefL, MacAddress.parse("52:54:00:AB:cd:ef"));
        assertEquals("52:54:00:ab:cd:ef", MacAddress.format(0x5254_00ab_cdefL));
    }

    @Test
    public void shouldRefuseWhatIsNoAddressOfAnInterface() {
        for (String text : new String[] {"", "52:54:00:12:34", "52-54-00-12-34-56", "52:54:00:12:34:5g", "01:00:5e:00:00:01", "00:00:00:00:00:00"}) {
            assertThrows(text, IllegalArgumentException.class, () -> MacAddress.parse(text));
        }
    }

    @Test
    public void shouldGiveTheTapAnAddressThatNoBridgePrefersAndThatIsNotTheGuests() {
        assertEquals(0xfe54_0012_3456L, MacAddress.ofTap(0x5254_0012_3456L));
        assertNotEquals(0xfe54_0012_3456L, MacAddress.ofTap(0xfe54_0012_3456L));
    }
}
