package org.plover.control;

import jakarta.json.JsonException;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.io.StringReader;
import org.plover.control.wire.Protocol.Code;

/** A request's fields, with a sentence for what is wrong with them. */
final class Request {
    private static final JsonProvider JSON = JsonProvider.provider();

    private Request() {
    }

    static JsonObject parse(String line) throws CommandException {
        try (var reader = JSON.createReader(new StringReader(line))) {
            return reader.readObject();
        } catch (JsonException | IllegalStateException e) {
            throw new CommandException(Code.BAD_REQUEST, "a request is one JSON object in one line, this is not: " + e.getMessage());
        }
    }

    /** A text, or null if it is not there. */
    static String text(JsonObject request, String field) throws CommandException {
        JsonValue value = request.get(field);
        if (value == null) {
            return null;
        } else if (value instanceof JsonString text) {
            return text.getString();
        }
        throw new CommandException(Code.BAD_REQUEST, "\"" + field + "\" must be a string, not " + value);
    }

    static String needed(JsonObject request, String field) throws CommandException {
        String text = text(request, field);
        if (text == null || text.isBlank()) {
            throw new CommandException(Code.BAD_REQUEST, "the request names no \"" + field + "\"");
        }
        return text;
    }

    static long number(JsonObject request, String field, long otherwise) throws CommandException {
        JsonValue value = request.get(field);
        if (value == null) {
            return otherwise;
        } else if (value instanceof JsonNumber number && number.isIntegral()) {
            return number.longValue();
        }
        throw new CommandException(Code.BAD_REQUEST, "\"" + field + "\" must be a whole number, not " + value);
    }
}
