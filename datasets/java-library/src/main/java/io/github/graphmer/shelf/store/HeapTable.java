package io.github.graphmer.shelf.store;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.util.Pair;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A table that lives in memory, in the order of insertion. */
public class HeapTable extends AbstractTable {
    private final Map<RowId, Row> rows = new TreeMap<>();
    private final RowId.Sequence sequence = new RowId.Sequence();

    public HeapTable(String name, Schema schema) {
        super(name, schema);
    }

    @Override
    public Optional<Row> get(RowId id) {
        return Optional.ofNullable(rows.get(id));
    }

    @Override
    protected RowId store(Row row) {
        RowId id = sequence.next();
        rows.put(id, row);
        return id;
    }

    @Override
    protected Row replace(RowId id, Row row) {
        return rows.put(id, row);
    }

    @Override
    protected Row discard(RowId id) {
        return rows.remove(id);
    }

    /** Puts a deleted row back under its old identity; only a transaction may do that. */
    void restore(RowId id, Row row) {
        rows.put(id, row);
        for (var index : indexes()) {
            index.add(id, row);
        }
    }

    @Override
    public int size() {
        return rows.size();
    }

    @Override
    public Iterator<Pair<RowId, Row>> iterator() {
        final Iterator<Map.Entry<RowId, Row>> entries = rows.entrySet().iterator();
        return new Iterator<Pair<RowId, Row>>() {
            @Override
            public boolean hasNext() {
                return entries.hasNext();
            }

            @Override
            public Pair<RowId, Row> next() {
                Map.Entry<RowId, Row> entry = entries.next();
                return Pair.of(entry.getKey(), entry.getValue());
            }
        };
    }
}
