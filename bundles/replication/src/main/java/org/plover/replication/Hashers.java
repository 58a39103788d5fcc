package org.plover.replication;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.plover.api.hasher.PageHasher;
import org.plover.api.hasher.PageHasherProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hasher providers that are there at the moment, and their hashers keyed with the session's secret. Providers may come
 * and go at any time; one that goes is let go only when no digest is being computed with it.
 */
final class Hashers implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Hashers.class);
    /** Fewer pages than this are not worth waking another core for. */
    private static final int PARALLEL_PAGES_MIN = 512;

    private final Map<String, PageHasherProvider> providers = new ConcurrentHashMap<>();
    private final Map<String, PageHasher> keyed = new LinkedHashMap<>();
    private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();
    private final int cores = Math.max(1, Math.min(8, Runtime.getRuntime().availableProcessors()));
    private final ExecutorService pool = Executors.newFixedThreadPool(cores, r -> {
        Thread t = new Thread(r, "plover-hash");
        t.setDaemon(true);
        return t;
    });
    private byte[] secret = new byte[32];

    void add(PageHasherProvider provider) {
        providers.put(provider.id(), provider);
    }

    void remove(PageHasherProvider provider) {
        if (providers.remove(provider.id(), provider)) {
            use.writeLock().lock();
            try {
                PageHasher hasher = keyed.remove(provider.id());
                if (hasher != null) {
                    hasher.close();
                }
            } finally {
                use.writeLock().unlock();
            }
        }
    }

    /**
     * The first of these ids that is there, or an empty string. No other takes its place: whoever names a cryptographic one alone does not
     * want a guest's pages compared by another. Without any, pages are sent that need not be, which is always right.
     */
    String choose(List<String> configured) {
        return configured.stream().filter(providers::containsKey).findFirst().orElse("");
    }

    /** A new session begins: every hasher is keyed anew. */
    void key(byte[] newSecret) {
        use.writeLock().lock();
        try {
            keyed.values().forEach(PageHasher::close);
            keyed.clear();
            secret = newSecret.clone();
        } finally {
            use.writeLock().unlock();
        }
    }

    /**
     * Digests pages on all cores; blocks until done. Returns null if there is no such hasher (any more): the caller then
     * treats every page as different, which is always right.
     */
    long[] digest(String id, long base, int[] pages) {
        prepare(id);
        use.readLock().lock();
        try {
            PageHasher hasher = keyed.get(id);
            if (hasher == null) {
                return null;
            }
            long[] digests = new long[pages.length * 2];
            int parts = Math.min(cores, Math.max(1, pages.length / PARALLEL_PAGES_MIN));
            CountDownLatch done = new CountDownLatch(parts - 1);
            RuntimeException[] failed = new RuntimeException[parts];
            for (int part = 1; part < parts; part++) {
                int n = part;
                pool.execute(() -> {
                    try {
                        digestPart(hasher, base, pages, n, parts, digests);
                    } catch (RuntimeException e) {
                        failed[n] = e;
                    } finally {
                        done.countDown();
                    }
                });
            }
            try {
                digestPart(hasher, base, pages, 0, parts, digests);
            } finally {
                awaitUninterruptibly(done);
            }
            for (RuntimeException e : failed) {
                if (e != null) {
                    throw e;
                }
            }
            return digests;
        } finally {
            use.readLock().unlock();
        }
    }

    private static void digestPart(PageHasher hasher, long base, int[] pages, int part, int parts, long[] digests) {
        int from = (int) ((long) pages.length * part / parts);
        int to = (int) ((long) pages.length * (part + 1) / parts);
        hasher.digest(base, pages, from, to, digests);
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true; // the others still write into the array and read guest memory
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void prepare(String id) {
        PageHasherProvider provider = providers.get(id);
        if (provider == null) {
            return;
        }
        use.writeLock().lock();
        try {
            if (!keyed.containsKey(id) && providers.containsKey(id)) {
                keyed.put(id, provider.create(secret));
                LOG.info("page hasher {} in use", id);
            }
        } finally {
            use.writeLock().unlock();
        }
    }

    @Override
    public void close() {
        key(new byte[32]);
        pool.shutdown();
    }
}
