package org.plover.itests;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** An appliance that runs as an operator would run it: by {@code bin/plover} of the unpacked archive. */
final class Appliance implements AutoCloseable {

    private static final int STOP_SECONDS_MAX = 30;

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).sslContext(trustingAnybody()).build();
    private final Path launcher;
    private final Path data;
    private final Path output;
    private final int port;
    private final Process process;

    private Appliance(Path launcher, Path data, Path output, int port, Process process) {
        this.launcher = launcher;
        this.data = data;
        this.output = output;
        this.port = port;
        this.process = process;
    }

    /** Starts the appliance and returns when its console answers. */
    static Appliance start(Path launcher, Path config, Path data) throws Exception {
        int port = freePort();
        Path output = Files.createTempFile(data.toAbsolutePath().getParent(), "output", ".log");
        List<String> command = new ArrayList<>(List.of(launcher.toString(), "run", "--config", config.toString(),
                "--data", data.toString(), "--http-port", String.valueOf(port), "--name=it"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        Appliance appliance = new Appliance(launcher, data, output, port, process);
        try {
            Await.until("the web console answers", appliance::answers);
        } catch (Exception | AssertionError e) {
            appliance.close();
            throw new AssertionError("no appliance, its output was:\n" + Files.readString(output), e);
        }
        return appliance;
    }

    private boolean answers() throws Exception {
        if (!process.isAlive()) {
            throw new AssertionError("the appliance has ended with " + process.exitValue());
        }
        try {
            return get("/system/console/bundles", "plover", password()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    String password() throws IOException {
        return Files.readString(data.resolve("console-password")).strip();
    }

    String output() throws IOException {
        return Files.readString(output);
    }

    /** GET as the given user; a null user sends no credentials. */
    HttpResponse<String> get(String path, String user, String password) throws IOException, InterruptedException {
        return send(request(path, user, password).GET());
    }

    /** Any request with a JSON body as the given user; headers are names and values in turn. */
    HttpResponse<String> json(String method, String path, String user, String password, String body, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path, user, password).header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        return send(headers.length == 0 ? request : request.headers(headers));
    }

    /** POST of a form without credentials. */
    HttpResponse<String> form(String path, String body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path, null, null).header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        return send(headers.length == 0 ? request : request.headers(headers));
    }

    /** Where a page of this appliance comes from, as a browser says it. */
    String origin() {
        return "https://127.0.0.1:" + port;
    }

    /** Asks by the command line. */
    Command.Result plover(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--data", data.toString()));
        return Command.run(data, command.toArray(String[]::new));
    }

    /** Saves one property of a configuration as the form of the console does, which sends nothing else. */
    HttpResponse<String> saveInConsole(String pid, String key, String value) throws IOException, InterruptedException {
        return send(request("/system/console/configMgr/" + pid, "plover", password())
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString("apply=true&action=ajaxConfigManager&propertylist=" + key
                        + "&" + key + "=" + value)));
    }

    private HttpRequest.Builder request(String path, String user, String password) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(origin() + path))
                .timeout(Duration.ofSeconds(20));
        if (user != null) {
            request.header("Authorization", "Basic " + Base64.getEncoder()
                    .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8)));
        }
        return request;
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** The appliance has signed its certificate itself: nobody else can vouch for it. */
    private static SSLContext trustingAnybody() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new X509ExtendedTrustManager() {
                @Override
                public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) { }

                @Override
                public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) { }

                @Override
                public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) { }

                @Override
                public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) { }

                @Override
                public void checkClientTrusted(X509Certificate[] chain, String type) { }

                @Override
                public void checkServerTrusted(X509Certificate[] chain, String type) { }

                @Override
                public X509Certificate[] getAcceptedIssuers() {
                    return new X509Certificate[0];
                }
            }}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError("no TLS in this JVM", e);
        }
    }

    ProcessHandle process() {
        return process.toHandle();
    }

    /** SIGTERM, as from an init system; returns the exit code. */
    int stop() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new AssertionError("the appliance has not stopped within " + STOP_SECONDS_MAX + " s of SIGTERM");
        }
        return process.exitValue();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
