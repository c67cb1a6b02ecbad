package io.github.graphmer.shelf.model;

import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.error.ShelfException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** An immutable list of values that fits a schema. */
public final class Row {
    private final Schema schema;
    private final Value[] values;

    Row(Schema schema, Value... values) {
        this.schema = schema;
        this.values = values;
    }

    /** A row whose values are known to fit, because a query computed them. */
    public static Row computed(Schema schema, List<? extends Value> values) {
        return new Row(schema, values.toArray(new Value[0]));
    }

    public Schema schema() {
        return schema;
    }

    public Value get(int position) {
        return values[position];
    }

    public Value get(String column) throws SchemaException {
        return get(schema.position(column));
    }

    public int size() {
        return values.length;
    }

    public List<Value> values() {
        return List.of(values);
    }

    /** A copy with one value replaced. */
    public Row with(String column, Object raw) throws ShelfException {
        Draft draft = new Draft(schema);
        System.arraycopy(values, 0, draft.values, 0, values.length);
        return draft.set(column, raw).build();
    }

    /** The values of this row followed by those of another. */
    public Row concat(Schema joined, Row other) {
        Value[] all = Arrays.copyOf(values, values.length + other.values.length);
        System.arraycopy(other.values, 0, all, values.length, other.values.length);
        return new Row(joined, all);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Row row && Arrays.equals(values, row.values);
    }

    @Override
    public int hashCode() {
        return Objects.hash((Object[]) values);
    }

    @Override
    public String toString() {
        return Arrays.toString(values);
    }

    /** A row under construction. */
    public static final class Draft {
        private final Schema schema;
        private final Value[] values;

        Draft(Schema schema) {
            this.schema = schema;
            this.values = new Value[schema.size()];
            Arrays.fill(values, Value.NULL);
        }

        public Draft set(String column, Object raw) throws SchemaException {
            values[schema.position(column)] = Value.of(raw);
            return this;
        }

        public Draft set(int position, Value value) {
            values[position] = value;
            return this;
        }

        public Row build() throws ShelfException {
            schema.check(Arrays.asList(values));
            return new Row(schema, values.clone());
        }
    }
}
