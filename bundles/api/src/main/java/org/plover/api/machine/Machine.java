package org.plover.api.machine;

import java.nio.ByteBuffer;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;

/**
 * One guest on this host. The methods that change its run state ({@link #start} to {@link #loadDeviceState}) block and are
 * called from one thread; {@link #inject}, {@link #pendingInputBytes} and {@link #sampleActivity} may be called from one
 * other thread at any time.
 */
public interface Machine extends AutoCloseable {
    /** Starts the guest; blocks until it runs (or, for {@link StartMode#AWAIT_STATE}, is ready to be loaded) and dirty pages are tracked. */
    void start(StartMode mode) throws MachineException;

    /** The guest's RAM; available once started. */
    GuestMemory memory();

    /**
     * Stops the vCPUs and drains devices: every disk request of the guest has been answered and what the disk was asked to keep
     * has been flushed. When it returns the guest emits nothing, writes no memory and has no request in flight. It waits for the
     * disks' servers, so they must go on answering meanwhile. Idempotent.
     */
    void stop() throws MachineException;

    /**
     * Waits until every frame that the guest emitted before {@link #stop} has been handed to the listener. To be called
     * between stop and resume.
     *
     * @return false if the listener has not taken all of them within the time
     */
    boolean awaitFrames(long millis) throws MachineException;

    /** Lets the vCPUs run. Never after memory and device state have come to belong to different moments. Idempotent. */
    void resume() throws MachineException;

    /** Whether the vCPUs run. */
    boolean isRunning();

    /**
     * Adds to {@code into} every page that the guest or its devices wrote since the last call (or since the start), and
     * starts anew. Never misses a page; may name pages that were written with what they held. Writes through
     * {@link #memory()} are not reported. May be called while the guest runs.
     */
    void fetchDirty(PageSet into) throws MachineException;

    /** State of all vCPUs and devices, without RAM; the guest must be stopped. The buffer is the caller's until the next call. */
    ByteBuffer saveDeviceState() throws MachineException;

    /**
     * Loads what {@link #saveDeviceState} of a like machine gave. The guest must be stopped and RAM must already hold that
     * moment's content; when this returns RAM still holds exactly that. Frames that were injected before and that the guest has
     * not taken are forgotten: none reaches the loaded guest, whose state says what it has got (safety rule S2: each input at most
     * once). After a failure the guest must not be resumed before another load has succeeded.
     */
    void loadDeviceState(ByteBuffer state) throws MachineException;

    /**
     * Tells the guest that one of its disks has another length. The guest is stopped, and the disk's server has ended the connections to
     * it, so that the machine finds the length when it connects again.
     *
     * @throws MachineException if the machine does not see this length; it goes on with the former one
     */
    void resizeDisk(int disk, long bytes) throws MachineException;

    /**
     * Hands a frame to a guest interface. Does not block; frames keep their order. While the guest is stopped frames are kept for
     * {@link #resume}, and forgotten by {@link #loadDeviceState}. The guest may miss some, as on any network: those that had
     * reached its device but not its driver when it was stopped.
     *
     * @return false if the bounded queue is full: try again later, nothing was taken
     */
    boolean inject(int nic, ByteBuffer frame);

    /** Bytes injected that the machine has not taken up yet. */
    long pendingInputBytes();

    /**
     * Activity of the vCPUs since the last call.
     *
     * @return share of the time in which the busiest vCPU ran, 0 to 1000 permille
     */
    int sampleActivity();

    /** Kills the guest at once and removes what it left on this host. Idempotent, thread-safe. */
    @Override
    void close();
}
