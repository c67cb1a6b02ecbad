package io.github.graphmer.shelf.index;

import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Equality and ranges, in logarithmic time. */
public class OrderedIndex extends AbstractIndex<NavigableMap<Value, Collection<RowId>>> implements RangeIndex {
    public OrderedIndex(Schema schema, String column) throws SchemaException {
        super(schema, column, new TreeMap<>());
    }

    @Override
    public Collection<RowId> between(Value low, Value high) {
        NavigableMap<Value, Collection<RowId>> part = entries.tailMap(Value.NULL, false);
        if (low != null) {
            part = part.tailMap(low, true);
        }
        if (high != null) {
            part = part.headMap(high, true);
        }
        List<RowId> found = new ArrayList<>();
        part.values().forEach(found::addAll);
        return found;
    }

    /** The smallest key, or NULL when the index is empty. */
    public Value first() {
        return entries.isEmpty() ? Value.NULL : entries.firstKey();
    }

    public Value last() {
        return entries.isEmpty() ? Value.NULL : entries.lastKey();
    }
}
