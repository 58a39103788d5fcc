package org.plover.network.tap;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Random;

/** Sends an ICMP echo, then UDP datagrams of the given sizes to an address, and demands every one of them back unchanged. */
public final class UdpProbeMain {
    private UdpProbeMain() {
    }

    public static void main(String[] arguments) throws IOException {
        InetAddress guest = InetAddress.getByName(arguments[0]);
        if (!guest.isReachable(10_000)) {
            throw new IOException(guest + " does not answer ICMP echo");
        }
        Random random = new Random(42);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(10_000);
            for (int i = 1; i < arguments.length; i++) {
                byte[] payload = new byte[Integer.parseInt(arguments[i])];
                random.nextBytes(payload);
                socket.send(new DatagramPacket(payload, payload.length, guest, 7));
                DatagramPacket answer = new DatagramPacket(new byte[65_536], 65_536);
                socket.receive(answer);
                if (!Arrays.equals(payload, Arrays.copyOf(answer.getData(), answer.getLength()))) {
                    throw new IOException(payload.length + " bytes came back changed");
                }
            }
        }
        System.out.println("all answered");
    }
}
