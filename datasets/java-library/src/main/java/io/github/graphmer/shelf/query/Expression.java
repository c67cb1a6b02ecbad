package io.github.graphmer.shelf.query;

import io.github.graphmer.shelf.model.Value;

/** A term over the columns of a row. */
public sealed interface Expression {
    <R> R accept(Visitor<R> visitor);

    default Expression and(Expression other) {
        return new Logic(Connective.AND, this, other);
    }

    default Expression or(Expression other) {
        return new Logic(Connective.OR, this, other);
    }

    default Expression not() {
        return new Not(this);
    }

    static ColumnRef column(String name) {
        return new ColumnRef(name);
    }

    static Constant constant(Object raw) {
        return new Constant(Value.of(raw));
    }

    /** One method for each form of expression. */
    interface Visitor<R> {
        R visitColumn(ColumnRef column);

        R visitConstant(Constant constant);

        R visitComparison(Comparison comparison);

        R visitLogic(Logic logic);

        R visitNot(Not not);

        R visitArithmetic(Arithmetic arithmetic);

        R visitMatch(Match match);
    }

    /** The value of a column. */
    record ColumnRef(String name) implements Expression {
        public Comparison compare(Comparator operator, Object raw) {
            return new Comparison(operator, this, constant(raw));
        }

        public Comparison is(Object raw) {
            return compare(Comparator.EQUAL, raw);
        }

        public Expression between(Object low, Object high) {
            return compare(Comparator.AT_LEAST, low).and(compare(Comparator.AT_MOST, high));
        }

        public Match matches(String phrase) {
            return new Match(this, phrase);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visitColumn(this);
        }
    }

    /** A value that stands for itself. */
    record Constant(Value value) implements Expression {
        static final Constant TRUE = new Constant(Value.Flag.TRUE);
        static final Constant FALSE = new Constant(Value.Flag.FALSE);

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visitConstant(this);
        }

        @Override
        public Expression not() {
            return value instanceof Value.Flag flag ? new Constant(flag.negate()) : Expression.super.not();
        }
    }

    /** Two terms compared; any comparison with a null is false. */
    record Comparison(Comparator operator, Expression left, Expression right) implements Expression {
        @Override
        public Expression not() {
            return new Not(this);
        }

        /** The same comparison with its sides exchanged. */
        public Comparison flip() {
            return new Comparison(operator.flipped(), right, left);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visitComparison(this);
        }
    }

    /** Two conditions connected. */
    record Logic(Connective connective, Expression left, Expression right) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visitLogic(this);
        }
    }

    /** The opposite of a condition. */
    record Not(Expression inner) implements Expression {
        @Override
        public Expression not() {
            return inner;
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visitNot(this);
        }
    }

    /** A calculation. */
    record Arithmetic(Operator operator, Expression left, Expression right) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visitArithmetic(this);
        }
    }

    /** A column that has all words of a phrase. */
    record Match(ColumnRef column, String phrase) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visitMatch(this);
        }
    }

    /** And, or. */
    enum Connective {
        AND,
        OR
    }

    /** How two values are compared. */
    enum Comparator {
        EQUAL("=") {
            @Override
            boolean holds(int order) {
                return order == 0;
            }
        },
        DIFFERENT("<>") {
            @Override
            boolean holds(int order) {
                return order != 0;
            }
        },
        LESS("<") {
            @Override
            boolean holds(int order) {
                return order < 0;
            }

            @Override
            Comparator flipped() {
                return GREATER;
            }
        },
        AT_MOST("<=") {
            @Override
            boolean holds(int order) {
                return order <= 0;
            }

            @Override
            Comparator flipped() {
                return AT_LEAST;
            }
        },
        GREATER(">") {
            @Override
            boolean holds(int order) {
                return order > 0;
            }

            @Override
            Comparator flipped() {
                return LESS;
            }
        },
        AT_LEAST(">=") {
            @Override
            boolean holds(int order) {
                return order >= 0;
            }

            @Override
            Comparator flipped() {
                return AT_MOST;
            }
        };

        private final String symbol;

        Comparator(String symbol) {
            this.symbol = symbol;
        }

        abstract boolean holds(int order);

        Comparator flipped() {
            return this;
        }

        public String symbol() {
            return symbol;
        }
    }
}
