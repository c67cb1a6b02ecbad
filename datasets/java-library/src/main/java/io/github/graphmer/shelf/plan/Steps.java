package io.github.graphmer.shelf.plan;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.query.Aggregate;
import io.github.graphmer.shelf.query.Evaluator;
import io.github.graphmer.shelf.query.Expression;
import io.github.graphmer.shelf.query.Printer;
import io.github.graphmer.shelf.query.Query;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** The steps that work on the rows of another step. */
final class Steps {
    private Steps() {
    }

    abstract static class Unary extends Plan {
        protected final Plan input;

        Unary(Plan input, Schema schema) {
            super(schema);
            this.input = input;
        }

        @Override
        protected List<Plan> inputs() {
            return List.of(input);
        }

        @Override
        public double estimate() {
            return input.estimate();
        }
    }

    static final class Filter extends Unary {
        private final Expression condition;

        Filter(Plan input, Expression condition) {
            super(input, input.schema());
            this.condition = condition;
        }

        @Override
        public double estimate() {
            return super.estimate() / 2;
        }

        @Override
        protected String describe() {
            return "filter " + Printer.print(condition);
        }

        @Override
        public Iterator<Row> iterator() {
            return StreamSupport.stream(input.spliterator(), false)
                    .filter(row -> Evaluator.test(condition, row))
                    .iterator();
        }
    }

    static final class Project extends Unary {
        private final List<Query.Output> outputs;

        Project(Plan input, Schema schema, List<Query.Output> outputs) {
            super(input, schema);
            this.outputs = outputs;
        }

        @Override
        protected String describe() {
            return "project " + schema();
        }

        @Override
        public Iterator<Row> iterator() {
            Iterator<Row> rows = input.iterator();
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return rows.hasNext();
                }

                @Override
                public Row next() {
                    return project(rows.next());
                }
            };
        }

        private Row project(Row row) {
            List<Value> values = new ArrayList<>(outputs.size());
            for (Query.Output output : outputs) {
                values.add(Evaluator.evaluate(output.expression(), row));
            }
            return Row.computed(schema(), values);
        }
    }

    static final class Sort extends Unary {
        private final Comparator<Row> order;

        Sort(Plan input, Comparator<Row> order) {
            super(input, input.schema());
            this.order = order;
        }

        @Override
        protected String describe() {
            return "sort";
        }

        @Override
        public Iterator<Row> iterator() {
            List<Row> rows = input.rows();
            rows.sort(order);
            return rows.iterator();
        }
    }

    static final class Limit extends Unary {
        private final int limit;

        Limit(Plan input, int limit) {
            super(input, input.schema());
            this.limit = limit;
        }

        @Override
        public double estimate() {
            return Math.min(limit, super.estimate());
        }

        @Override
        protected String describe() {
            return "limit " + limit;
        }

        @Override
        public Iterator<Row> iterator() {
            return StreamSupport.stream(input.spliterator(), false).limit(limit).iterator();
        }
    }

    static final class Group extends Unary {
        private final List<Expression> keys;
        private final List<Query.Output> outputs;

        Group(Plan input, Schema schema, List<Expression> keys, List<Query.Output> outputs) {
            super(input, schema);
            this.keys = keys;
            this.outputs = outputs;
        }

        @Override
        public double estimate() {
            return keys.isEmpty() ? 1 : Math.sqrt(super.estimate());
        }

        @Override
        protected String describe() {
            return "group into " + schema();
        }

        @Override
        public Iterator<Row> iterator() {
            Map<List<Value>, Bucket> buckets = new LinkedHashMap<>();
            for (Row row : input) {
                List<Value> key = keys.stream().map(k -> Evaluator.evaluate(k, row)).toList();
                buckets.computeIfAbsent(key, k -> new Bucket(row)).add(row);
            }
            return buckets.values().stream().map(Bucket::result).iterator();
        }

        /** The rows of one group, of which only the first is kept. */
        private final class Bucket {
            private final Row first;
            private final List<Aggregate.State> states = new ArrayList<>();

            Bucket(Row first) {
                this.first = first;
                for (Query.Output output : outputs) {
                    states.add(output.isAggregate() ? output.aggregate().start() : null);
                }
            }

            void add(Row row) {
                for (Aggregate.State state : states) {
                    if (state != null) {
                        state.add(row);
                    }
                }
            }

            Row result() {
                List<Value> values = new ArrayList<>();
                for (int i = 0; i < outputs.size(); i++) {
                    Aggregate.State state = states.get(i);
                    values.add(state == null
                            ? Evaluator.evaluate(outputs.get(i).expression(), first)
                            : state.result());
                }
                return Row.computed(schema(), values);
            }
        }
    }

    /** Builds a hash table over the right input and looks up each row of the left one. */
    static final class HashJoin extends Plan {
        private final Plan left;
        private final Plan right;
        private final int leftKey;
        private final int rightKey;

        HashJoin(Plan left, Plan right, int leftKey, int rightKey, Schema schema) {
            super(schema);
            this.left = left;
            this.right = right;
            this.leftKey = leftKey;
            this.rightKey = rightKey;
        }

        @Override
        protected List<Plan> inputs() {
            return List.of(left, right);
        }

        @Override
        public double estimate() {
            return Math.max(left.estimate(), right.estimate());
        }

        @Override
        protected String describe() {
            return "join " + left.schema().column(leftKey).name() + " = " + right.schema().column(rightKey).name();
        }

        @Override
        public Iterator<Row> iterator() {
            Map<Value, List<Row>> byKey = new HashMap<>();
            for (Row row : right) {
                Value key = row.get(rightKey);
                if (!key.isNull()) {
                    byKey.computeIfAbsent(key, k -> new ArrayList<>()).add(row);
                }
            }
            List<Row> joined = new ArrayList<>();
            for (Row row : left) {
                for (Row match : byKey.getOrDefault(row.get(leftKey), List.of())) {
                    joined.add(row.concat(schema(), match));
                }
            }
            return joined.iterator();
        }
    }
}
