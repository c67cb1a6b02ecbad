package io.github.graphmer.shelf.index;

import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Value;
import java.util.Collection;

/** An index that also knows the order of its keys. */
public interface RangeIndex extends Index {
    /** Rows between two keys, both included; null leaves a side open. */
    Collection<RowId> between(Value low, Value high);

    default Collection<RowId> atLeast(Value low) {
        return between(low, null);
    }

    default Collection<RowId> atMost(Value high) {
        return between(null, high);
    }
}
