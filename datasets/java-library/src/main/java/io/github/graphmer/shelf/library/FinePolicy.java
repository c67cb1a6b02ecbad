package io.github.graphmer.shelf.library;

import java.math.BigDecimal;

/** What being late costs. Policies are made from others. */
@FunctionalInterface
public interface FinePolicy {
    FinePolicy NONE = days -> BigDecimal.ZERO;

    BigDecimal fine(long daysLate);

    static FinePolicy perDay(String amount) {
        BigDecimal rate = new BigDecimal(amount);
        return days -> rate.multiply(BigDecimal.valueOf(days));
    }

    default FinePolicy atMost(String amount) {
        BigDecimal most = new BigDecimal(amount);
        return days -> fine(days).min(most);
    }

    default FinePolicy afterGraceOf(int free) {
        return days -> days <= free ? BigDecimal.ZERO : fine(days - free);
    }
}
