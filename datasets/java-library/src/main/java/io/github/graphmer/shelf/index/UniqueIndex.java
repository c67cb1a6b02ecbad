package io.github.graphmer.shelf.index;

import io.github.graphmer.shelf.error.ConstraintException;
import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import java.util.Optional;

/** A hash index that refuses a second row with the same key. Nulls are never equal to each other. */
public class UniqueIndex extends HashIndex {
    public UniqueIndex(Schema schema, String column) throws SchemaException {
        super(schema, column);
    }

    @Override
    public void check(Row row) throws ConstraintException {
        Value key = key(row);
        if (!key.isNull() && !equal(key).isEmpty()) {
            throw new ConstraintException.Duplicate(column(), key.raw());
        }
    }

    /** The one row with the key. */
    public Optional<RowId> only(Value key) {
        return equal(key).stream().findFirst();
    }
}
