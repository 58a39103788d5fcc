package org.plover.api.memory;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A set of page numbers as a bitmap. Not thread-safe. */
public final class PageSet {
    /** No guest has more: 1 TiB. */
    public static final int PAGES_MAX = 1 << 28;

    private final int pageCount;
    private final long[] words;

    /** An empty set over pages 0 to {@code pageCount - 1}. */
    public PageSet(int pageCount) {
        this.pageCount = pageCount;
        this.words = new long[(pageCount + 63) >>> 6];
    }

    /** Number of pages the guest has, not the number in this set. */
    public int pageCount() {
        return pageCount;
    }

    public void add(int page) {
        words[page >>> 6] |= 1L << page;
    }

    /** Adds pages {@code from} to {@code to - 1}. */
    public void addRange(int from, int to) {
        if (from < 0 || to > pageCount || from > to) {
            throw new IllegalArgumentException("pages " + from + " to " + to + " are not within 0.." + pageCount);
        }
        for (int p = from; p < to; ) {
            if ((p & 63) == 0 && to - p >= 64) {
                words[p >>> 6] = -1L;
                p += 64;
            } else {
                words[p >>> 6] |= 1L << p;
                p++;
            }
        }
    }

    public void remove(int page) {
        words[page >>> 6] &= ~(1L << page);
    }

    public boolean contains(int page) {
        return (words[page >>> 6] & 1L << page) != 0;
    }

    public void addAll(PageSet other) {
        for (int i = 0; i < words.length; i++) {
            words[i] |= other.words[i];
        }
    }

    public void removeAll(PageSet other) {
        for (int i = 0; i < words.length; i++) {
            words[i] &= ~other.words[i];
        }
    }

    public void clear() {
        Arrays.fill(words, 0);
    }

    public void fill() {
        addRange(0, pageCount);
    }

    /** Number of pages in the set. */
    public int size() {
        int n = 0;
        for (long w : words) {
            n += Long.bitCount(w);
        }
        return n;
    }

    public boolean isEmpty() {
        for (long w : words) {
            if (w != 0) {
                return false;
            }
        }
        return true;
    }

    /** The pages in ascending order. */
    public int[] toArray() {
        int[] pages = new int[size()];
        int n = 0;
        for (int i = 0; i < words.length; i++) {
            for (long w = words[i]; w != 0; w &= w - 1) {
                pages[n++] = (i << 6) + Long.numberOfTrailingZeros(w);
            }
        }
        return pages;
    }

    /** Bytes that {@link #encode} will write. */
    public int encodedBytes() {
        int runs = 0;
        for (int i = 0; i < words.length; i++) {
            runs += words[i] == 0 ? 0 : 1;
        }
        return 4 + 4 + runs * 12;
    }

    /** Writes the words that are not zero, each with its number: an idle guest's set costs a few hundred bytes. */
    public void encode(ByteBuffer to) {
        to.putInt(pageCount);
        int at = to.position();
        to.putInt(0);
        int n = 0;
        for (int i = 0; i < words.length; i++) {
            if (words[i] != 0) {
                to.putInt(i).putLong(words[i]);
                n++;
            }
        }
        to.putInt(at, n);
    }

    /** Reads what {@link #encode} wrote. Throws IllegalArgumentException if it does not describe a set of pages. */
    public static PageSet decode(ByteBuffer from) {
        return decode(from, PAGES_MAX);
    }

    /** The same for a set over that many pages at most: its length is checked before memory is taken for it. */
    public static PageSet decode(ByteBuffer from, int pageCountMax) {
        int pageCount = from.getInt();
        int n = from.getInt();
        if (pageCount < 0 || pageCount > pageCountMax || n < 0 || n > (pageCount + 63) >>> 6 || n > from.remaining() / 12) {
            throw new IllegalArgumentException("not a page set: " + pageCount + " pages, " + n + " words");
        }
        PageSet set = new PageSet(pageCount);
        for (int k = 0; k < n; k++) {
            int i = from.getInt();
            if (i < 0 || i >= set.words.length) {
                throw new IllegalArgumentException("not a page set: word " + i + " of " + set.words.length);
            }
            set.words[i] = from.getLong();
        }
        int tail = pageCount & 63;
        if (tail != 0 && (set.words[set.words.length - 1] & -1L << tail) != 0) {
            throw new IllegalArgumentException("not a page set: pages past the end");
        }
        return set;
    }
}
