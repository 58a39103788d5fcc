package org.plover.network.tap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

import org.plover.api.network.PortSpec;
import org.plover.linux.Errno;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A tap interface of the kernel: created down, on its bridge, without addresses of its own, and gone when the last descriptor closes,
 * be it by the end of the process. Not thread-safe but for {@link #fd}.
 */
final class TapDevice implements AutoCloseable {
    static final String CLONE_DEVICE = "/dev/net/tun";
    static final int MTU_MAX = 9_000;
    private static final int MTU_MIN = 68;

    private static final Logger log = LoggerFactory.getLogger(TapDevice.class);
    /** A name like {@code tap%d} would make the kernel choose; one with a slash has no place in sysfs. */
    private static final Pattern NAME = Pattern.compile("(?!\\.{1,2}$)[A-Za-z0-9_.-]{1,15}");

    private static final long TUNSETIFF = 0x400454caL;
    private static final long SIOCGIFFLAGS = 0x8913;
    private static final long SIOCSIFFLAGS = 0x8914;
    private static final long SIOCSIFMTU = 0x8922;
    private static final long SIOCSIFHWADDR = 0x8924;
    private static final long SIOCSIFTXQLEN = 0x8943;
    private static final long SIOCBRADDIF = 0x89a2;
    private static final int IFF_UP = 1;
    private static final int IFF_TAP = 2;
    private static final int IFF_NO_PI = 0x1000;
    private static final int IFF_TUN_EXCL = 0x8000;
    private static final int ARPHRD_ETHER = 1;
    private static final int IFREQ_BYTES = 40;
    private static final int IFREQ_VALUE = 16;

    private final String name;
    private final int fd;

    private TapDevice(String name, int fd) {
        this.name = name;
        this.fd = fd;
    }

    /**
     * Creates the interface; blocks for some milliseconds.
     *
     * @throws IOException if the host does not allow it; says what to do. Nothing is left behind.
     */
    static TapDevice create(PortSpec spec, long guestMac, int queueFrames) throws IOException {
        requireUsable(spec);
        TapDevice device = new TapDevice(spec.tap(), openCloneDevice(spec));
        try {
            device.makeInterface();
            device.keepHostQuiet();
            device.set(SIOCSIFMTU, spec.mtu(), "MTU " + spec.mtu());
            device.setHardwareAddress(MacAddress.ofTap(guestMac));
            device.queueFrames(queueFrames);
            if (!spec.bridge().isEmpty()) {
                device.joinBridge(spec.bridge());
            }
            return device;
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        }
    }

    private static void requireUsable(PortSpec spec) throws IOException {
        if (!NAME.matcher(spec.tap()).matches()) {
            throw new IOException("tap '" + spec.tap() + "': not a name for an interface; use 1 to 15 letters, digits, '-', '_' or '.'");
        }
        if (!spec.bridge().isEmpty() && !NAME.matcher(spec.bridge()).matches()) {
            throw new IOException("tap " + spec.tap() + ": bridge '" + spec.bridge() + "' is not the name of an interface; give the one "
                    + "that 'ip link show type bridge' lists");
        }
        if (spec.mtu() < MTU_MIN || spec.mtu() > MTU_MAX) {
            throw new IOException("tap " + spec.tap() + ": MTU " + spec.mtu() + " is out of range; set it to a value from " + MTU_MIN + " to "
                    + MTU_MAX);
        }
    }

    private static int openCloneDevice(PortSpec spec) throws IOException {
        try {
            return Linux.open(CLONE_DEVICE, Linux.O_RDWR | Linux.O_NONBLOCK);
        } catch (SystemCallException e) {
            throw new IOException("tap " + spec.tap() + ": " + e.getMessage() + "; " + openRemedy(e.errno()), e);
        }
    }

    /** What to do when the clone device cannot be opened. */
    static String openRemedy(int errno) {
        return switch (errno) {
            case Errno.EACCES, Errno.EPERM -> "run the appliance as root, or as a user who may read and write " + CLONE_DEVICE;
            default -> "load the kernel module with 'modprobe tun', and in a container hand the device " + CLONE_DEVICE + " in";
        };
    }

    private void makeInterface() throws IOException {
        ByteBuffer request = request(name);
        request.putShort(IFREQ_VALUE, (short) (IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL));
        try {
            Linux.ioctl(fd, TUNSETIFF, request);
        } catch (SystemCallException e) {
            String remedy = switch (e.errno()) {
                case Errno.EBUSY, Errno.EEXIST, Errno.EINVAL -> "an interface of this name is there already; choose another name, or remove "
                        + "it with 'ip link delete " + name + "' if nobody needs it";
                case Errno.EPERM -> "run the appliance as root or with the capability CAP_NET_ADMIN";
                default -> "look at the kernel's log with 'dmesg'";
            };
            throw new IOException("tap " + name + " cannot be created: " + Errno.describe(e.errno()) + "; " + remedy, e);
        }
    }

    /** The host must not talk on the guest's wire: no addresses, no router solicitations, no multicast reports of its own. */
    private void keepHostQuiet() throws IOException {
        Path settings = Path.of("/proc/sys/net/ipv6/conf", name);
        if (!Files.isDirectory(settings)) {
            return; // a kernel without IPv6 is quiet already
        }
        try {
            Files.writeString(settings.resolve("addr_gen_mode"), "1");
            Files.writeString(settings.resolve("disable_ipv6"), "1");
        } catch (IOException e) {
            // The interface is gone again if we give up, and a read-only /proc is usual in containers: the guest only hears a few frames.
            log.warn("tap {}: the host's own IPv6 cannot be kept off it ({}); set net.ipv6.conf.default.disable_ipv6=1 to do so", name, e.toString());
        }
    }

    private void setHardwareAddress(long mac) throws IOException {
        ByteBuffer request = request(name);
        request.putShort(IFREQ_VALUE, (short) ARPHRD_ETHER);
        for (int i = 0; i < 6; i++) {
            request.put(IFREQ_VALUE + 2 + i, (byte) (mac >> 40 - 8 * i));
        }
        control(SIOCSIFHWADDR, request, "MAC address " + MacAddress.format(mac));
    }

    /** Sets how many frames for the guest the kernel queues. */
    void queueFrames(int frames) throws IOException {
        set(SIOCSIFTXQLEN, frames, "queue of " + frames + " frames");
    }

    /** Returns false if it is on a bridge already, which the kernel knows best. */
    private boolean joinBridge(String bridge) throws IOException {
        if (Linux.interfaceIndex(bridge) == 0) {
            throw new IOException("tap " + name + ": bridge " + bridge + " does not exist on this host; create it with 'ip link add " + bridge
                    + " type bridge' and 'ip link set " + bridge + " up', or correct the name");
        }
        ByteBuffer request = request(bridge);
        request.putInt(IFREQ_VALUE, Linux.interfaceIndex(name));
        try {
            withSocket(socket -> Linux.ioctl(socket, SIOCBRADDIF, request));
        } catch (SystemCallException e) {
            if (e.errno() == Errno.EBUSY) {
                return false;
            }
            String remedy = e.errno() == Errno.EOPNOTSUPP || e.errno() == Errno.EINVAL
                    ? bridge + " is no bridge; give the name of one that 'ip link show type bridge' lists"
                    : "look at it with 'ip -d link show " + bridge + "'";
            throw new IOException("tap " + name + " cannot be put on bridge " + bridge + ": " + Errno.describe(e.errno()) + "; " + remedy, e);
        }
        warnOfSpanningTree(bridge);
        return true;
    }

    private void warnOfSpanningTree(String bridge) {
        Path state = Path.of("/sys/class/net", bridge, "bridge", "stp_state");
        try {
            if (!Files.readString(state).trim().equals("0")) {
                log.warn("bridge {}: spanning tree is on, so that a guest that fails over is not heard before the forward delay is over; "
                        + "switch it off with 'ip link set {} type bridge stp_state 0'", bridge, bridge);
            }
        } catch (IOException e) {
            log.debug("bridge {}: whether spanning tree is on cannot be read from {}", bridge, state, e);
        }
    }

    /** Whether an interface of this name is on the host. */
    boolean exists() {
        return Linux.interfaceIndex(name) != 0;
    }

    /**
     * Puts the interface back where it belongs if somebody has taken it off its bridge, or its link down.
     *
     * @return whether something had to be done
     * @throws IOException if it cannot be done; says what to do
     */
    boolean mend(PortSpec spec, boolean active) throws IOException {
        boolean mended = false;
        if (!spec.bridge().isEmpty()) {
            mended = joinBridge(spec.bridge());
        }
        if (active && !isUp()) {
            up(true);
            mended = true;
        }
        return mended;
    }

    private boolean isUp() throws IOException {
        ByteBuffer request = request(name);
        control(SIOCGIFFLAGS, request, "flags");
        return (request.getShort(IFREQ_VALUE) & IFF_UP) != 0;
    }

    /** Takes the link up or down. A bridge forgets at once what it has learned of a port that goes down. */
    void up(boolean up) throws IOException {
        ByteBuffer request = request(name);
        control(SIOCGIFFLAGS, request, "flags");
        int flags = request.getShort(IFREQ_VALUE);
        request.putShort(IFREQ_VALUE, (short) (up ? flags | IFF_UP : flags & ~IFF_UP));
        control(SIOCSIFFLAGS, request, up ? "link up" : "link down");
    }

    /** The descriptor to read frames from and write them to; non-blocking. */
    int fd() {
        return fd;
    }

    private void set(long call, int value, String what) throws IOException {
        ByteBuffer request = request(name);
        request.putInt(IFREQ_VALUE, value);
        control(call, request, what);
    }

    private void control(long call, ByteBuffer request, String what) throws IOException {
        try {
            withSocket(socket -> Linux.ioctl(socket, call, request));
        } catch (SystemCallException e) {
            String remedy = switch (e.errno()) {
                case Errno.EPERM -> "run the appliance as root or with the capability CAP_NET_ADMIN";
                case Errno.ENODEV -> "somebody else has removed the interface; start the virtual machine's port again";
                default -> "look at it with 'ip -d link show " + name + "'";
            };
            throw new IOException("tap " + name + ", " + what + ": " + Errno.describe(e.errno()) + "; " + remedy, e);
        }
    }

    @FunctionalInterface
    private interface SocketCall {
        void on(int socket) throws SystemCallException;
    }

    /** Interfaces are controlled through any socket. */
    private static void withSocket(SocketCall call) throws SystemCallException {
        int socket = Linux.socket(Linux.AF_INET, Linux.SOCK_DGRAM, 0);
        try {
            call.on(socket);
        } finally {
            Linux.close(socket);
        }
    }

    private static ByteBuffer request(String interfaceName) {
        ByteBuffer request = Memory.allocate(IFREQ_BYTES);
        request.put(0, interfaceName.getBytes(StandardCharsets.US_ASCII));
        return request;
    }

    /** Takes the interface off the host. Once only: the number may belong to somebody else afterwards. */
    @Override
    public void close() throws IOException {
        Linux.close(fd);
    }
}
