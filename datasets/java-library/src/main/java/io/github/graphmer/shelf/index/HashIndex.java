package io.github.graphmer.shelf.index;

import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/** Equality only, in constant time. */
public class HashIndex extends AbstractIndex<Map<Value, Collection<RowId>>> {
    public HashIndex(Schema schema, String column) throws SchemaException {
        super(schema, column, new HashMap<>());
    }
}
