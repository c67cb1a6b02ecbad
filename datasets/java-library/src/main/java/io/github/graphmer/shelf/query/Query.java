package io.github.graphmer.shelf.query;

import io.github.graphmer.shelf.util.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is asked for: a table, a condition, what to compute and in which order. */
public final class Query {
    private final String table;
    private final List<Output> outputs = new ArrayList<>();
    private final List<String> groups = new ArrayList<>();
    private final List<Order> orders = new ArrayList<>();
    private Join join;
    private Expression condition = Expression.Constant.TRUE;
    private int limit = Integer.MAX_VALUE;

    private Query(String table) {
        this.table = Checks.notBlank(table, "table");
    }

    public static Query from(String table) {
        return new Query(table);
    }

    public Query where(Expression more) {
        condition = Conditions.prepare(condition.and(more));
        return this;
    }

    public Query join(String other, String left, String right) {
        join = new Join(other, left, right);
        return this;
    }

    public Query select(String... columns) {
        for (String column : columns) {
            outputs.add(new Output(column, Expression.column(column), null));
        }
        return this;
    }

    public Query select(String name, Expression expression) {
        outputs.add(new Output(name, expression, null));
        return this;
    }

    public Query select(String name, Aggregate aggregate) {
        outputs.add(new Output(name, null, aggregate));
        return this;
    }

    public Query groupBy(String column) {
        groups.add(column);
        return this;
    }

    public Query orderBy(String column, boolean descending) {
        orders.add(new Order(column, descending));
        return this;
    }

    public Query orderBy(String column) {
        return orderBy(column, false);
    }

    public Query limit(int rows) {
        limit = Checks.notNegative(rows, "limit");
        return this;
    }

    public String table() {
        return table;
    }

    public Optional<Join> join() {
        return Optional.ofNullable(join);
    }

    public Expression condition() {
        return condition;
    }

    public List<Output> outputs() {
        return List.copyOf(outputs);
    }

    public List<String> groups() {
        return List.copyOf(groups);
    }

    public List<Order> orders() {
        return List.copyOf(orders);
    }

    public int limit() {
        return limit;
    }

    public boolean isAggregate() {
        return !groups.isEmpty() || outputs.stream().anyMatch(Output::isAggregate);
    }

    /** One column of the result; either an expression or an aggregate. */
    public record Output(String name, Expression expression, Aggregate aggregate) {
        public boolean isAggregate() {
            return aggregate != null;
        }
    }

    /** A column to sort by. */
    public record Order(String column, boolean descending) {
    }

    /** Another table, and the two columns that must be equal. */
    public record Join(String table, String left, String right) {
    }
}
