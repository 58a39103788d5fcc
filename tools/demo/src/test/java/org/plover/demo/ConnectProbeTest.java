package org.plover.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import jakarta.json.JsonObject;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.time.Duration;
import org.junit.Test;

public class ConnectProbeTest {
    private static final Duration MILLI = Duration.ofMillis(1);

    @Test
    public void shouldFindTheOutageOfAServiceThatGoesAwayAndComesBack() throws Exception {
        ServerSocket service = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        SocketAddress address = service.getLocalSocketAddress();
        try (ConnectProbe probe = ConnectProbe.start((InetSocketAddress) address, MILLI, Duration.ofSeconds(1), Duration.ZERO)) {
            service.accept().close();
            probe.mark("gone");
            service.close();
            while (probe.failures() == 0) {
                Thread.sleep(1);
            }
            long goneMillis = 30;
            Thread.sleep(goneMillis);
            service = new ServerSocket();
            service.setReuseAddress(true);
            service.bind(address);
            service.accept().close();
            probe.requestStop();
            Report report = probe.awaitReport(Duration.ofMinutes(1)).orElseThrow();
            assertFalse(report.clean());
            JsonObject outage = report.toJson().getJsonArray("outages").getJsonObject(0);
            assertEquals("gone", outage.getString("mark"));
            assertTrue(outage.toString(), outage.getJsonNumber("millis").doubleValue() >= goneMillis);
            assertEquals(0, outage.getInt("unanswered"));
            assertTrue(report.toJson().getInt("connectsFailed") > 0);
        } finally {
            service.close();
        }
    }

    @Test
    public void shouldBeContentWithAServiceThatStays() throws Exception {
        try (ServerSocket service = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
             ConnectProbe probe = ConnectProbe.start((InetSocketAddress) service.getLocalSocketAddress(), MILLI,
                                                     Duration.ofSeconds(1), Duration.ZERO)) {
            service.accept().close();
            service.accept().close();
            probe.requestStop();
            Report report = probe.awaitReport(Duration.ofMinutes(1)).orElseThrow();
            assertTrue(report.clean());
            assertTrue(report.toJson().getInt("connects") >= 2);
        }
    }
}
