package io.github.graphmer.shelf.index;

import io.github.graphmer.shelf.error.ConstraintException;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Value;
import java.util.Collection;

/** Finds rows by the value of one column without reading all of them. */
public interface Index {
    String column();

    /** Rows whose column equals the key. */
    Collection<RowId> equal(Value key);

    /** Refuses a row before anything is stored; the default accepts all. */
    default void check(Row row) throws ConstraintException {
    }

    void add(RowId id, Row row);

    void remove(RowId id, Row row);

    /** Replaces a row; an index may do better than the two steps. */
    default void replace(RowId id, Row before, Row after) {
        remove(id, before);
        add(id, after);
    }

    int distinctKeys();

    default boolean isOrdered() {
        return this instanceof RangeIndex;
    }
}
