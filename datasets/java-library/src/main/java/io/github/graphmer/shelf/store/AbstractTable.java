package io.github.graphmer.shelf.store;

import io.github.graphmer.shelf.error.ConstraintException;
import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.index.Index;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.util.Checks;
import io.github.graphmer.shelf.util.Pair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Checks and keeps the indexes; where the rows are kept is left to the subclass. */
public abstract class AbstractTable implements Table {
    private final String name;
    private final Schema schema;
    private final List<Index> indexes = new ArrayList<>();

    protected AbstractTable(String name, Schema schema) {
        this.name = Checks.notBlank(name, "table name");
        this.schema = Checks.present(schema, "schema");
    }

    /** Stores a row that has passed every check and returns its new identity. */
    protected abstract RowId store(Row row);

    /** Replaces a row and returns the one before, or null when there was none. */
    protected abstract Row replace(RowId id, Row row);

    /** Removes and returns a row, or null when there was none. */
    protected abstract Row discard(RowId id);

    @Override
    public String name() {
        return name;
    }

    @Override
    public Schema schema() {
        return schema;
    }

    @Override
    public RowId insert(Row row) throws ShelfException {
        checkFits(row);
        for (Index index : indexes) {
            index.check(row);
        }
        RowId id = store(row);
        indexes.forEach(index -> index.add(id, row));
        return id;
    }

    @Override
    public void update(RowId id, Row row) throws ShelfException {
        checkFits(row);
        Row before = get(id).orElseThrow(() -> noSuchRow(id));
        indexes.forEach(index -> index.remove(id, before));
        try {
            for (Index index : indexes) {
                index.check(row);
            }
        } catch (ConstraintException e) {
            indexes.forEach(index -> index.add(id, before));
            throw e;
        }
        replace(id, row);
        indexes.forEach(index -> index.add(id, row));
    }

    @Override
    public void delete(RowId id) throws ShelfException {
        Row gone = discard(id);
        if (gone == null) {
            throw noSuchRow(id);
        }
        for (Index index : indexes) {
            index.remove(id, gone);
        }
    }

    @Override
    public void addIndex(Index index) throws ShelfException {
        for (Pair<RowId, Row> entry : this) {
            index.check(entry.second());
            index.add(entry.first(), entry.second());
        }
        indexes.add(index);
    }

    @Override
    public List<Index> indexes() {
        return Collections.unmodifiableList(indexes);
    }

    private void checkFits(Row row) throws SchemaException {
        if (row.schema() != schema) {
            throw new SchemaException("the row was made for " + row.schema() + ", not for table " + name);
        }
    }

    private ShelfException noSuchRow(RowId id) {
        return new ShelfException("table " + name + " has no row " + id);
    }

    @Override
    public String toString() {
        return name + schema + " with " + size() + " rows";
    }
}
