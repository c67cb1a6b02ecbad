package io.github.graphmer.shelf.index;

import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.TreeSet;

/**
 * What the indexes have in common: a map from keys to the rows that have them.
 *
 * @param <M> the map, which decides what the index can do
 */
public abstract class AbstractIndex<M extends Map<Value, Collection<RowId>>> implements Index {
    protected final M entries;
    private final String column;
    private final int position;

    protected AbstractIndex(Schema schema, String column, M entries) throws SchemaException {
        this.position = schema.position(column);
        this.column = schema.column(position).name();
        this.entries = entries;
    }

    @Override
    public final String column() {
        return column;
    }

    protected final Value key(Row row) {
        return row.get(position);
    }

    @Override
    public Collection<RowId> equal(Value key) {
        return entries.getOrDefault(key, Collections.emptySet());
    }

    @Override
    public void add(RowId id, Row row) {
        insert(key(row), id);
    }

    @Override
    public void remove(RowId id, Row row) {
        delete(key(row), id);
    }

    @Override
    public void replace(RowId id, Row before, Row after) {
        if (!key(before).equals(key(after))) {
            Index.super.replace(id, before, after);
        }
    }

    @Override
    public int distinctKeys() {
        return entries.size();
    }

    protected void insert(Value key, RowId id) {
        entries.computeIfAbsent(key, k -> new TreeSet<>()).add(id);
    }

    protected void delete(Value key, RowId id) {
        Collection<RowId> ids = entries.get(key);
        if (ids != null && ids.remove(id) && ids.isEmpty()) {
            entries.remove(key);
        }
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + "(" + column + ")";
    }
}
