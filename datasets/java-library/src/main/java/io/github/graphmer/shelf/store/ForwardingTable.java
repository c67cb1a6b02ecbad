package io.github.graphmer.shelf.store;

import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.index.Index;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.util.Pair;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** A table that hands everything on to another; its subclasses change one thing each. */
public abstract class ForwardingTable implements Table {
    protected final Table inner;

    protected ForwardingTable(Table inner) {
        this.inner = inner;
    }

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public Schema schema() {
        return inner.schema();
    }

    @Override
    public Optional<Row> get(RowId id) {
        return inner.get(id);
    }

    @Override
    public RowId insert(Row row) throws ShelfException {
        return inner.insert(row);
    }

    @Override
    public void update(RowId id, Row row) throws ShelfException {
        inner.update(id, row);
    }

    @Override
    public void delete(RowId id) throws ShelfException {
        inner.delete(id);
    }

    @Override
    public void addIndex(Index index) throws ShelfException {
        inner.addIndex(index);
    }

    @Override
    public List<Index> indexes() {
        return inner.indexes();
    }

    @Override
    public int size() {
        return inner.size();
    }

    @Override
    public Iterator<Pair<RowId, Row>> iterator() {
        return inner.iterator();
    }
}
