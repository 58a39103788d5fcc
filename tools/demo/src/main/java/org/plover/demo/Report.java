package org.plover.demo;

import jakarta.json.JsonObject;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** What a {@link Watch} has found out when it has ended. */
public interface Report {

    /** Whether the service did everything it had promised. */
    boolean clean();

    JsonObject toJson();

    /** Three decimals are enough for a person, and for milliseconds. */
    static BigDecimal rounded(double value) {
        return BigDecimal.valueOf(value).setScale(3, RoundingMode.HALF_UP);
    }
}
