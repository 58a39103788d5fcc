package org.plover.control;

import java.io.IOException;
import java.nio.file.Path;

/** Another process that has the socket, until its standard input ends or it is killed. */
public final class SocketHolder {
    private SocketHolder() {
    }

    public static void main(String[] arguments) throws IOException {
        try (ControlSocket socket = ControlSocket.claim(Path.of(arguments[0]))) {
            System.out.println("has " + socket.path());
            while (System.in.read() >= 0) {
                // until the end
            }
        }
    }
}
