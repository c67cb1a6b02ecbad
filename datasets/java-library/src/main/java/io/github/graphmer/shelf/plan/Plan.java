package io.github.graphmer.shelf.plan;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Collectors;

/** A step of a query's execution: rows come out, often from another step below. */
public abstract class Plan implements Iterable<Row> {
    private final Schema schema;

    protected Plan(Schema schema) {
        this.schema = schema;
    }

    public final Schema schema() {
        return schema;
    }

    /** The steps that this one reads. */
    protected List<Plan> inputs() {
        return List.of();
    }

    /** The number of rows that this step is expected to give, for choosing between plans. */
    public abstract double estimate();

    protected abstract String describe();

    @Override
    public abstract Iterator<Row> iterator();

    public List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        forEach(rows::add);
        return rows;
    }

    /** The whole plan as an indented text. */
    public final String explain() {
        return explain("").stripTrailing();
    }

    private String explain(String indent) {
        String below = inputs().stream().map(input -> input.explain(indent + "  ")).collect(Collectors.joining());
        return indent + describe() + " ~" + Math.round(estimate()) + "\n" + below;
    }
}
