package io.github.graphmer.shelf.model;

import io.github.graphmer.shelf.error.FormatException;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;

/** The types a column may have; each constant knows how to read its values from text. */
public enum ValueType {
    NOTHING {
        @Override
        protected Value read(String text) {
            return Value.NULL;
        }
    },
    FLAG {
        @Override
        protected Value read(String text) {
            return switch (text.toLowerCase()) {
                case "true", "yes", "1" -> Value.Flag.TRUE;
                case "false", "no", "0" -> Value.Flag.FALSE;
                default -> throw new IllegalArgumentException("neither true nor false");
            };
        }
    },
    WHOLE(true) {
        @Override
        protected Value read(String text) {
            return new Value.Whole(Long.parseLong(text));
        }
    },
    DECIMAL(true) {
        @Override
        protected Value read(String text) {
            return new Value.Decimal(new BigDecimal(text));
        }

        @Override
        public boolean accepts(Value value) {
            return super.accepts(value) || value.type() == WHOLE;
        }
    },
    DAY {
        @Override
        protected Value read(String text) {
            try {
                return new Value.Day(LocalDate.parse(text));
            } catch (DateTimeParseException e) {
                throw new IllegalArgumentException("not a day (yyyy-mm-dd)", e);
            }
        }
    },
    TEXT {
        @Override
        protected Value read(String text) {
            return new Value.Text(text);
        }
    };

    private final boolean numeric;

    ValueType() {
        this(false);
    }

    ValueType(boolean numeric) {
        this.numeric = numeric;
    }

    protected abstract Value read(String text);

    public boolean isNumeric() {
        return numeric;
    }

    /** Whether a column of this type may hold the value. */
    public boolean accepts(Value value) {
        return value.isNull() || value.type() == this;
    }

    /** Reads a value; an empty text is the null of every type but TEXT. */
    public Value parse(String text, int line) throws FormatException {
        if (text.isEmpty() && this != TEXT) {
            return Value.NULL;
        }
        try {
            return read(text);
        } catch (IllegalArgumentException e) {
            throw new FormatException(line, "'" + text + "' is no " + name().toLowerCase(), e);
        }
    }
}
