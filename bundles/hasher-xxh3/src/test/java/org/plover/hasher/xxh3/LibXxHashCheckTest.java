package org.plover.hasher.xxh3;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.Test;
import org.plover.api.health.Finding;

public class LibXxHashCheckTest {
    private final AtomicInteger enabled = new AtomicInteger();
    private final AtomicBoolean installed = new AtomicBoolean();

    @Test
    public void shouldEnableTheProviderWhenTheLibraryIsThere() {
        installed.set(true);
        LibXxHashCheck check = newCheck();
        assertEquals(1, enabled.get());
        assertEquals(Finding.Level.OK, check.check().get(0).level());
    }

    @Test
    public void shouldSayWhatToInstallAndKeepTheProviderDisabledWhenTheLibraryIsMissing() {
        LibXxHashCheck check = newCheck();
        Finding finding = check.check().get(0);
        assertEquals(0, enabled.get());
        assertEquals(Finding.Level.WARNING, finding.level());
        assertTrue(finding.text(), finding.text().contains("no such file"));
        assertTrue(finding.remedy(), finding.remedy().contains("apt-get install libxxhash0"));
    }

    @Test
    public void shouldEnableTheProviderWhenTheLibraryHasBeenInstalledSince() {
        LibXxHashCheck check = newCheck();
        installed.set(true);
        check.check();
        assertEquals(1, enabled.get());
    }

    @Test
    public void shouldOpenTheLibraryOfThisHost() throws IOException {
        assertTrue(LibXxHash.open().toString(), LibXxHash.open().toString().startsWith(Xxh3Library.FILE));
    }

    private LibXxHashCheck newCheck() {
        return new LibXxHashCheck(() -> {
            if (!installed.get()) {
                throw new IOException("no such file");
            }
            return "a library";
        }, enabled::incrementAndGet);
    }
}
