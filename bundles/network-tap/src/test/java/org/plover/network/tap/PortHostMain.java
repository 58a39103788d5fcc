package org.plover.network.tap;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.plover.api.network.NetworkPort;
import org.plover.api.network.PortSpec;

/**
 * Opens ports in the network namespace in which it was started, as it is told line by line: a Java process cannot enter one by itself.
 * Every line is answered by one line, {@code error} and a text if it failed.
 */
public final class PortHostMain {
    /** A port, what it has received, and the guest behind it. */
    private static final class Opened {
        final LinkedBlockingQueue<String> received = new LinkedBlockingQueue<>();
        NetworkPort port;
        volatile EchoResponder responder;

        void onFrame(int nic, ByteBuffer frame) {
            received.add(TestFrames.hex(frame));
            EchoResponder guest = responder;
            ByteBuffer answer = guest == null ? null : guest.answer(frame);
            if (answer != null) {
                port.observe(answer);
                port.send(answer);
            }
        }
    }

    private final TapNetworkProvider provider = new TapNetworkProvider();
    private final Map<String, Opened> ports = new HashMap<>();

    private PortHostMain() {
    }

    public static void main(String[] arguments) throws IOException {
        PortHostMain host = new PortHostMain();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println(host.answer(line.split(" ")));
        }
        host.provider.deactivate();
    }

    private String answer(String[] words) {
        try {
            return run(words);
        } catch (IOException | InterruptedException | RuntimeException e) {
            return "error " + e.getMessage();
        }
    }

    private String run(String[] words) throws IOException, InterruptedException {
        Opened opened = words[0].equals("open") ? new Opened() : ports.get(words[1]);
        switch (words[0]) {
            case "open" -> {
                PortSpec spec = new PortSpec(0, words[1], words[2].equals("-") ? "" : words[2], Integer.parseInt(words[3]), words[4]);
                opened.port = provider.open(spec, opened::onFrame);
                ports.put(words[1], opened);
            }
            case "guest" -> opened.responder = new EchoResponder(MacAddress.parse(words[2]),
                    ByteBuffer.wrap(InetAddress.getByName(words[3]).getAddress()).getInt());
            case "activate" -> opened.port.activate(true);
            case "deactivate" -> opened.port.activate(false);
            case "announce" -> opened.port.announce();
            case "observe" -> opened.port.observe(TestFrames.hex(words[2]));
            case "send" -> opened.port.send(TestFrames.hex(words[2]));
            case "trouble" -> {
                return "trouble: " + opened.port.trouble();
            }
            case "close" -> opened.port.close();
            case "next" -> {
                return nextOfType(opened, words[2]);
            }
            default -> throw new IllegalArgumentException("unknown: " + words[0]);
        }
        return "ok";
    }

    /** The next frame received that has the given ethertype; others are taken out. */
    private static String nextOfType(Opened opened, String type) throws InterruptedException {
        while (true) {
            String frame = opened.received.poll(10, TimeUnit.SECONDS);
            if (frame == null) {
                return "error nothing received";
            }
            if (frame.startsWith(type, 24)) {
                return frame;
            }
        }
    }
}
