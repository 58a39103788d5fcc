package org.plover.hasher.xxh3;

import com.kenai.jffi.MemoryIO;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.plover.api.hasher.DigestSecret;
import org.plover.api.memory.GuestMemory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The ways into libxxhash, opened once for the process: the quickest one that this host allows. */
final class LibXxHash {
    private static final Logger LOG = LoggerFactory.getLogger(LibXxHash.class);
    private static final MemoryIO MEMORY = MemoryIO.getInstance();
    private static final int TRIAL_PAGES = 3;

    private static LibXxHash opened;

    private final Xxh3Library library;
    private final PageCalls calls;

    private LibXxHash(Xxh3Library library, PageCalls calls) {
        this.library = library;
        this.calls = calls;
    }

    /** Opens the library, or returns it if it is open. Throws IOException if it is missing; a later call tries again. */
    static synchronized LibXxHash open() throws IOException {
        if (opened == null) {
            Xxh3Library library = Xxh3Library.open();
            opened = new LibXxHash(library, quickest(library));
        }
        return opened;
    }

    PageCalls calls() {
        return calls;
    }

    private static PageCalls quickest(Xxh3Library library) {
        PageCalls foreign = new ForeignCalls(library);
        if (!LoopCalls.supported()) {
            return foreign;
        }
        try {
            PageCalls loop = new LoopCalls(library);
            if (agree(foreign, loop)) {
                return loop;
            }
            LOG.error("{}: the two ways of calling it give different digests; the slow, portable one is used. "
                    + "Please report this with the CPU's name", library);
        } catch (IOException e) {
            LOG.warn("{}: calling it once for each page, which is slower: {}", library, e.getMessage());
        }
        return foreign;
    }

    /** Machine code is believed only after it has given the digests that libffi's call gives. */
    private static boolean agree(PageCalls one, PageCalls other) {
        int memoryBytes = TRIAL_PAGES * GuestMemory.PAGE_BYTES;
        long memory = MEMORY.allocateMemory(memoryBytes, false);
        try {
            byte[] content = new byte[memoryBytes];
            byte[] secret = new byte[DigestSecret.BYTES];
            Random random = new Random(TRIAL_PAGES);
            random.nextBytes(content);
            random.nextBytes(secret);
            MEMORY.putByteArray(memory, content, 0, memoryBytes);
            int[] pages = {2, 0, 1};
            return Arrays.equals(digests(one, secret, memory, pages), digests(other, secret, memory, pages));
        } finally {
            MEMORY.freeMemory(memory);
        }
    }

    private static long[] digests(PageCalls calls, byte[] secret, long memory, int[] pages) {
        long[] digests = new long[2 * pages.length];
        try (Xxh3PageHasher hasher = new Xxh3PageHasher(calls, secret)) {
            hasher.digest(memory, pages, 0, pages.length, digests);
        }
        return digests;
    }

    @Override
    public String toString() {
        return library + ", " + calls;
    }
}
