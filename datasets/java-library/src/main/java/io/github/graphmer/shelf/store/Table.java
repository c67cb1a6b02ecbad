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

/** Rows of one schema, each under an identity. */
public interface Table extends Iterable<Pair<RowId, Row>> {
    String name();

    Schema schema();

    Optional<Row> get(RowId id);

    RowId insert(Row row) throws ShelfException;

    void update(RowId id, Row row) throws ShelfException;

    void delete(RowId id) throws ShelfException;

    /** Adds an index and fills it with the rows that are already there. */
    void addIndex(Index index) throws ShelfException;

    List<Index> indexes();

    int size();

    @Override
    Iterator<Pair<RowId, Row>> iterator();

    default boolean isEmpty() {
        return size() == 0;
    }

    /** The first index on a column that is at least of the given kind. */
    default <I extends Index> Optional<I> index(String column, Class<I> kind) {
        for (Index index : indexes()) {
            if (index.column().equals(column) && kind.isInstance(index)) {
                return Optional.of(kind.cast(index));
            }
        }
        return Optional.empty();
    }
}
