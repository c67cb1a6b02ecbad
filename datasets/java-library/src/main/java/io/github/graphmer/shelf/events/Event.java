package io.github.graphmer.shelf.events;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;

/** Something that has happened to a table. */
public sealed interface Event permits Event.Inserted, Event.Updated, Event.Deleted, Event.Committed {
    String table();

    /** The same event seen from the other side of time: what undoes it. */
    default Event inverse() {
        return this;
    }

    record Inserted(String table, RowId id, Row row) implements Event {
        @Override
        public Event inverse() {
            return new Deleted(table, id, row);
        }
    }

    record Updated(String table, RowId id, Row before, Row after) implements Event {
        @Override
        public Event inverse() {
            return new Updated(table, id, after, before);
        }
    }

    record Deleted(String table, RowId id, Row row) implements Event {
        @Override
        public Event inverse() {
            return new Inserted(table, id, row);
        }
    }

    /** The end of a transaction; there is no way back from it. */
    record Committed(String table, int changes) implements Event {
    }
}
