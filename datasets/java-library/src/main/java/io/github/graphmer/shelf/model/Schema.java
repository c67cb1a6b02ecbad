package io.github.graphmer.shelf.model;

import static io.github.graphmer.shelf.util.Checks.notEmpty;

import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.util.Text;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** The ordered columns of a table or of a query's result. */
public final class Schema implements Iterable<Column> {
    private final List<Column> columns;
    private final Map<String, Integer> positions = new LinkedHashMap<>();

    private Schema(List<Column> columns) {
        this.columns = Collections.unmodifiableList(notEmpty(columns, "columns"));
        for (int i = 0; i < columns.size(); i++) {
            positions.put(columns.get(i).name(), i);
        }
    }

    public static Builder builder() {
        return new Builder();
    }

    public int size() {
        return columns.size();
    }

    public Column column(int position) {
        return columns.get(position);
    }

    public Column column(String name) throws SchemaException {
        return columns.get(position(name));
    }

    public OptionalInt find(String name) {
        Integer position = positions.get(Text.identifier(name));
        return position == null ? OptionalInt.empty() : OptionalInt.of(position);
    }

    /** The place of a column, or a failure that suggests the nearest name. */
    public int position(String name) throws SchemaException {
        OptionalInt found = find(name);
        if (found.isEmpty()) {
            throw SchemaException.unknown("column", name, positions.keySet());
        }
        return found.getAsInt();
    }

    public boolean has(String name) {
        return find(name).isPresent();
    }

    /** Checks every value of a row-to-be. */
    public void check(List<Value> values) throws ShelfException {
        if (values.size() != size()) {
            throw new SchemaException("expected " + size() + " values, got " + values.size());
        }
        for (int i = 0; i < size(); i++) {
            column(i).check(values.get(i));
        }
    }

    /** The columns of this schema followed by those of another, prefixed where a name would clash. */
    public Schema join(Schema other, String prefix) {
        Builder builder = builder().addAll(this);
        for (Column column : other) {
            builder.add(has(column.name()) ? column.renamed(prefix + "." + column.name()) : column);
        }
        return builder.build();
    }

    public Row.Draft draft() {
        return new Row.Draft(this);
    }

    @Override
    public Iterator<Column> iterator() {
        return columns.iterator();
    }

    @Override
    public String toString() {
        return columns.stream().map(c -> c.name() + " " + c.type()).collect(Collectors.joining(", ", "(", ")"));
    }

    /** Collects columns; a later column may not repeat a name. */
    public static final class Builder {
        private final List<Column> columns = new ArrayList<>();

        private Builder() {
        }

        public Builder add(Column column) {
            for (Column known : columns) {
                if (known.name().equals(column.name())) {
                    throw new IllegalArgumentException("column " + column.name() + " is declared twice");
                }
            }
            columns.add(column);
            return this;
        }

        public Builder add(String name, ValueType type) {
            return add(new Column(name, type));
        }

        public Builder required(String name, ValueType type) {
            return add(new Column(name, type).asRequired());
        }

        public Builder text(String name) {
            return add(name, ValueType.TEXT);
        }

        public Builder whole(String name) {
            return add(name, ValueType.WHOLE);
        }

        public Builder day(String name) {
            return add(name, ValueType.DAY);
        }

        Builder addAll(Iterable<? extends Column> more) {
            more.forEach(this::add);
            return this;
        }

        public Schema build() {
            return new Schema(new ArrayList<>(columns));
        }
    }
}
