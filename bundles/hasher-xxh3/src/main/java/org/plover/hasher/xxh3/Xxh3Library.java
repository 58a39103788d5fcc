package org.plover.hasher.xxh3;

import com.kenai.jffi.Library;
import java.io.IOException;

/** The system's libxxhash, opened. Nothing closes it: machine code refers to its addresses. */
final class Xxh3Library {
    static final String FILE = "libxxhash.so.0";
    /** What an operator does when {@link #open} fails. */
    static final String REMEDY = "install it with: apt-get install libxxhash0";

    /** Debian's build holds AVX2 and AVX-512 code, too, but only this name chooses it by what the CPU has. */
    private static final String DISPATCHING = "XXH3_128bits_withSecret_dispatch";
    private static final String PLAIN = "XXH3_128bits_withSecret";

    private final String functionName;
    private final long function;

    private Xxh3Library(String functionName, long function) {
        this.functionName = functionName;
        this.function = function;
    }

    /** Opens the library. Throws IOException, with the loader's own words, if it is not there or lacks XXH3. */
    static Xxh3Library open() throws IOException {
        Library library = Library.openLibrary(FILE, Library.NOW | Library.LOCAL);
        if (library == null) {
            throw new IOException(Library.getLastError());
        }
        for (String name : new String[] {DISPATCHING, PLAIN}) {
            long address = library.getSymbolAddress(name);
            if (address != 0) {
                return new Xxh3Library(name, address);
            }
        }
        throw new IOException(FILE + " has no " + PLAIN + ": version 0.8.0 or newer is needed");
    }

    /** Address of {@code XXH128_hash_t XXH3_128bits_withSecret(const void*, size_t, const void*, size_t)}. */
    long function() {
        return function;
    }

    /** Which function is in use, for people. */
    @Override
    public String toString() {
        return FILE + " (" + functionName + ")";
    }
}
