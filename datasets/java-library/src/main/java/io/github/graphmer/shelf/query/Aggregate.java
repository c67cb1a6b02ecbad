package io.github.graphmer.shelf.query;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Value;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.function.BiPredicate;

/** Turns many rows into one value. An aggregate is a recipe; {@link #start()} begins one calculation. */
public abstract class Aggregate {
    private final String name;
    protected final Expression over;

    protected Aggregate(String name, Expression over) {
        this.name = name;
        this.over = over;
    }

    public static Aggregate count() {
        return new Count();
    }

    public static Aggregate sum(Expression over) {
        return new Sum(over);
    }

    public static Aggregate average(Expression over) {
        return new Average(over);
    }

    public static Aggregate least(Expression over) {
        return new Extreme("min", over, (candidate, best) -> candidate.compareTo(best) < 0);
    }

    public static Aggregate greatest(Expression over) {
        return new Extreme("max", over, (candidate, best) -> candidate.compareTo(best) > 0);
    }

    public String name() {
        return name;
    }

    public abstract State start();

    /** One calculation under way. */
    public interface State {
        void add(Row row);

        Value result();
    }

    /** A state that looks at one value of each row and skips nulls. */
    protected abstract class ValueState implements State {
        protected long seen;

        @Override
        public final void add(Row row) {
            Value value = Evaluator.evaluate(over, row);
            if (!value.isNull()) {
                seen++;
                take(value);
            }
        }

        protected abstract void take(Value value);
    }

    private static final class Count extends Aggregate {
        Count() {
            super("count", Expression.Constant.TRUE);
        }

        @Override
        public State start() {
            return new State() {
                private long rows;

                @Override
                public void add(Row row) {
                    rows++;
                }

                @Override
                public Value result() {
                    return Value.of(rows);
                }
            };
        }
    }

    private static class Sum extends Aggregate {
        Sum(Expression over) {
            this("sum", over);
        }

        Sum(String name, Expression over) {
            super(name, over);
        }

        @Override
        public State start() {
            return new Total();
        }

        class Total extends ValueState {
            protected BigDecimal total = BigDecimal.ZERO;

            @Override
            protected void take(Value value) {
                total = total.add(value.number());
            }

            @Override
            public Value result() {
                return seen == 0 ? Value.NULL : Value.of(total);
            }
        }
    }

    private static final class Average extends Sum {
        Average(Expression over) {
            super("avg", over);
        }

        @Override
        public State start() {
            return new Total() {
                @Override
                public Value result() {
                    return seen == 0
                            ? super.result()
                            : Value.of(total.divide(BigDecimal.valueOf(seen), MathContext.DECIMAL32));
                }
            };
        }
    }

    private static final class Extreme extends Aggregate {
        private final BiPredicate<Value, Value> better;

        Extreme(String name, Expression over, BiPredicate<Value, Value> better) {
            super(name, over);
            this.better = better;
        }

        @Override
        public State start() {
            return new ValueState() {
                private Value best = Value.NULL;

                @Override
                protected void take(Value value) {
                    if (best.isNull() || better.test(value, best)) {
                        best = value;
                    }
                }

                @Override
                public Value result() {
                    return best;
                }
            };
        }
    }
}
