package io.github.graphmer.shelf.model;

import io.github.graphmer.shelf.error.QueryException;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.Optional;

/** One cell of a row. Values are immutable and totally ordered: nulls first, then by type, then by content. */
public sealed interface Value extends Comparable<Value> {
    /** The only null. */
    Null NULL = new Null();

    ValueType type();

    /** The content as a plain Java object; null for {@link #NULL}. */
    Object raw();

    /** Compares with a value of the same type. */
    int compareSame(Value other);

    default boolean isNull() {
        return this == NULL;
    }

    default String text() {
        return String.valueOf(raw());
    }

    @Override
    default int compareTo(Value other) {
        if (isNumber() && other.isNumber()) {
            return number().compareTo(other.number());
        }
        int byType = type().compareTo(other.type());
        return byType != 0 ? byType : compareSame(other);
    }

    default boolean isNumber() {
        return type().isNumeric();
    }

    /** The content as a number, or a failed query. */
    default BigDecimal number() {
        throw new QueryException("not a number: " + text());
    }

    static Value of(Object raw) {
        if (raw == null) {
            return NULL;
        }
        if (raw instanceof Value value) {
            return value;
        }
        if (raw instanceof String text) {
            return new Text(text);
        }
        if (raw instanceof Integer || raw instanceof Long || raw instanceof Short) {
            return new Whole(((Number) raw).longValue());
        }
        if (raw instanceof BigDecimal decimal) {
            return new Decimal(decimal);
        }
        if (raw instanceof Double d) {
            return new Decimal(BigDecimal.valueOf(d));
        }
        if (raw instanceof Boolean flag) {
            return Flag.of(flag);
        }
        if (raw instanceof LocalDate day) {
            return new Day(day);
        }
        if (raw instanceof Optional<?> optional) {
            return of(optional.orElse(null));
        }
        throw new QueryException("no value type for " + raw.getClass().getName());
    }

    /** No value. */
    final class Null implements Value {
        private Null() {
        }

        @Override
        public ValueType type() {
            return ValueType.NOTHING;
        }

        @Override
        public Object raw() {
            return null;
        }

        @Override
        public int compareSame(Value other) {
            return 0;
        }

        @Override
        public String text() {
            return "";
        }

        @Override
        public String toString() {
            return "NULL";
        }
    }

    /** A text. */
    record Text(String raw) implements Value {
        @Override
        public ValueType type() {
            return ValueType.TEXT;
        }

        @Override
        public int compareSame(Value other) {
            return raw.compareTo(((Text) other).raw);
        }
    }

    /** A whole number. */
    record Whole(Long raw) implements Value {
        @Override
        public ValueType type() {
            return ValueType.WHOLE;
        }

        @Override
        public BigDecimal number() {
            return BigDecimal.valueOf(raw);
        }

        @Override
        public int compareSame(Value other) {
            return Long.compare(raw, ((Whole) other).raw);
        }
    }

    /** A decimal number; 1.0 and 1.00 are the same value. */
    record Decimal(BigDecimal raw) implements Value {
        public Decimal {
            raw = raw.stripTrailingZeros();
        }

        @Override
        public ValueType type() {
            return ValueType.DECIMAL;
        }

        @Override
        public BigDecimal number() {
            return raw;
        }

        @Override
        public String text() {
            return raw.toPlainString();
        }

        @Override
        public int compareSame(Value other) {
            return raw.compareTo(other.number());
        }
    }

    /** True or false; there are only these two, so they may be compared by identity. */
    final class Flag implements Value {
        public static final Flag FALSE = new Flag(false);
        public static final Flag TRUE = new Flag(true);

        private final boolean truth;

        private Flag(boolean truth) {
            this.truth = truth;
        }

        public static Flag of(boolean truth) {
            return truth ? TRUE : FALSE;
        }

        public boolean isTrue() {
            return truth;
        }

        public Flag negate() {
            return of(!truth);
        }

        @Override
        public ValueType type() {
            return ValueType.FLAG;
        }

        @Override
        public Object raw() {
            return truth;
        }

        @Override
        public int compareSame(Value other) {
            return Boolean.compare(truth, ((Flag) other).truth);
        }

        @Override
        public String toString() {
            return String.valueOf(truth);
        }
    }

    /** A calendar day. */
    record Day(LocalDate raw) implements Value {
        @Override
        public ValueType type() {
            return ValueType.DAY;
        }

        @Override
        public int compareSame(Value other) {
            return raw.compareTo(((Day) other).raw);
        }

        /** Days from this day to a later one. */
        public long daysUntil(Day later) {
            return later.raw.toEpochDay() - raw.toEpochDay();
        }
    }
}
