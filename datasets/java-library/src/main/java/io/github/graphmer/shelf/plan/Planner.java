package io.github.graphmer.shelf.plan;

import static io.github.graphmer.shelf.query.Expression.Connective.AND;

import io.github.graphmer.shelf.error.QueryException;
import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.index.Index;
import io.github.graphmer.shelf.index.RangeIndex;
import io.github.graphmer.shelf.index.WordIndex;
import io.github.graphmer.shelf.model.Column;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.model.ValueType;
import io.github.graphmer.shelf.query.Expression;
import io.github.graphmer.shelf.query.Query;
import io.github.graphmer.shelf.store.Database;
import io.github.graphmer.shelf.store.Table;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Chooses the steps that answer a query. */
public class Planner {
    private final Database database;

    public Planner(Database database) {
        this.database = database;
    }

    /** The plan of a query; a name that the tables do not have is the query's mistake. */
    public Plan plan(Query query) {
        try {
            Plan plan = source(database.table(query.table()), query.condition());
            if (query.join().isPresent()) {
                plan = join(plan, query.join().get());
            }
            plan = filter(plan, query.condition());
            plan = query.isAggregate() ? group(plan, query) : project(plan, query);
            plan = sort(plan, query.orders());
            return query.limit() == Integer.MAX_VALUE ? plan : new Steps.Limit(plan, query.limit());
        } catch (SchemaException e) {
            throw new QueryException("cannot plan: " + e.getMessage(), e);
        }
    }

    /** The cheapest way to read the rows among which the condition's rows are. */
    protected Plan source(Table table, Expression condition) {
        Plan best = new Sources.Scan(table);
        for (Expression part : conjuncts(condition)) {
            Optional<Plan> candidate = indexed(table, part);
            if (candidate.isPresent() && candidate.get().estimate() < best.estimate()) {
                best = candidate.get();
            }
        }
        return best;
    }

    private Optional<Plan> indexed(Table table, Expression part) {
        if (part instanceof Expression.Match match) {
            return table.index(match.column().name(), WordIndex.class)
                    .map(index -> new Sources.Search(table, index, match.phrase()));
        }
        if (part instanceof Expression.Comparison comparison
                && comparison.left() instanceof Expression.ColumnRef column
                && comparison.right() instanceof Expression.Constant constant) {
            Value key = constant.value();
            return switch (comparison.operator()) {
                case EQUAL -> table.index(column.name(), Index.class).map(i -> new Sources.Lookup(table, i, key));
                case AT_LEAST, GREATER -> range(table, column, key, null);
                case AT_MOST, LESS -> range(table, column, null, key);
                case DIFFERENT -> Optional.empty();
            };
        }
        return Optional.empty();
    }

    private Optional<Plan> range(Table table, Expression.ColumnRef column, Value low, Value high) {
        return table.index(column.name(), RangeIndex.class).map(i -> new Sources.Range(table, i, low, high));
    }

    private Plan join(Plan left, Query.Join join) throws SchemaException {
        Plan right = new Sources.Scan(database.table(join.table()));
        int leftKey = left.schema().position(join.left());
        int rightKey = right.schema().position(join.right());
        return new Steps.HashJoin(left, right, leftKey, rightKey, left.schema().join(right.schema(), join.table()));
    }

    private static Plan filter(Plan plan, Expression condition) {
        return condition.equals(Expression.constant(true)) ? plan : new Steps.Filter(plan, condition);
    }

    private static Plan project(Plan plan, Query query) throws SchemaException {
        if (query.outputs().isEmpty()) {
            return plan;
        }
        return new Steps.Project(plan, outputSchema(plan, query.outputs()), query.outputs());
    }

    private static Plan group(Plan plan, Query query) throws SchemaException {
        List<Expression> keys = new ArrayList<>();
        for (String column : query.groups()) {
            keys.add(Expression.column(plan.schema().column(column).name()));
        }
        return new Steps.Group(plan, outputSchema(plan, query.outputs()), keys, query.outputs());
    }

    private static Schema outputSchema(Plan plan, List<Query.Output> outputs) throws SchemaException {
        Schema.Builder builder = Schema.builder();
        for (Query.Output output : outputs) {
            builder.add(new Column(output.name(), typeOf(plan, output)));
        }
        return builder.build();
    }

    private static ValueType typeOf(Plan plan, Query.Output output) throws SchemaException {
        if (output.expression() instanceof Expression.ColumnRef column) {
            return plan.schema().column(column.name()).type();
        }
        if (output.expression() instanceof Expression.Constant constant) {
            return constant.value().type();
        }
        return ValueType.DECIMAL;
    }

    private static Plan sort(Plan plan, List<Query.Order> orders) throws SchemaException {
        Comparator<Row> comparator = null;
        for (Query.Order order : orders) {
            int position = plan.schema().position(order.column());
            Comparator<Row> next = Comparator.comparing(row -> row.get(position));
            if (order.descending()) {
                next = next.reversed();
            }
            comparator = comparator == null ? next : comparator.thenComparing(next);
        }
        return comparator == null ? plan : new Steps.Sort(plan, comparator);
    }

    /** The parts of a condition all of which must hold. */
    static List<Expression> conjuncts(Expression condition) {
        List<Expression> parts = new ArrayList<>();
        if (condition instanceof Expression.Logic logic && logic.connective() == AND) {
            parts.addAll(conjuncts(logic.left()));
            parts.addAll(conjuncts(logic.right()));
        } else {
            parts.add(condition);
        }
        return parts;
    }
}
