package io.github.graphmer.shelf.query;

import io.github.graphmer.shelf.error.QueryException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.function.BinaryOperator;

/** The four calculations. */
public enum Operator {
    PLUS('+', BigDecimal::add),
    MINUS('-', BigDecimal::subtract),
    TIMES('*', BigDecimal::multiply),
    DIVIDED_BY('/', (a, b) -> {
        if (b.signum() == 0) {
            throw new QueryException("division by zero");
        }
        return a.divide(b, MathContext.DECIMAL64);
    });

    private final char symbol;
    private final BinaryOperator<BigDecimal> function;

    Operator(char symbol, BinaryOperator<BigDecimal> function) {
        this.symbol = symbol;
        this.function = function;
    }

    public BigDecimal apply(BigDecimal a, BigDecimal b) {
        return function.apply(a, b);
    }

    public char symbol() {
        return symbol;
    }

    public static Operator of(char symbol) {
        for (Operator operator : values()) {
            if (operator.symbol == symbol) {
                return operator;
            }
        }
        throw new QueryException("no operator " + symbol);
    }
}
