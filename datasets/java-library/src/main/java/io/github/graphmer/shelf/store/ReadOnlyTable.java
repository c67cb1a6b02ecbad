package io.github.graphmer.shelf.store;

import io.github.graphmer.shelf.index.Index;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;

/** A view that refuses every change. The overriding methods throw no checked exception any more. */
public final class ReadOnlyTable extends ForwardingTable {
    public ReadOnlyTable(Table inner) {
        super(inner);
    }

    @Override
    public RowId insert(Row row) {
        throw refuse();
    }

    @Override
    public void update(RowId id, Row row) {
        throw refuse();
    }

    @Override
    public void delete(RowId id) {
        throw refuse();
    }

    @Override
    public void addIndex(Index index) {
        throw refuse();
    }

    private UnsupportedOperationException refuse() {
        return new UnsupportedOperationException("table " + name() + " is read-only");
    }
}
