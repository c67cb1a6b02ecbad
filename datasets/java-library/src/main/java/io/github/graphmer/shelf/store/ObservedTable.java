package io.github.graphmer.shelf.store;

import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.events.Event;
import io.github.graphmer.shelf.events.EventBus;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;

/** Tells a bus about every change that succeeded. */
public class ObservedTable extends ForwardingTable {
    private final EventBus bus;

    public ObservedTable(Table inner, EventBus bus) {
        super(inner);
        this.bus = bus;
    }

    @Override
    public RowId insert(Row row) throws ShelfException {
        RowId id = super.insert(row);
        bus.publish(new Event.Inserted(name(), id, row));
        return id;
    }

    @Override
    public void update(RowId id, Row row) throws ShelfException {
        Row before = get(id).orElse(null);
        super.update(id, row);
        bus.publish(new Event.Updated(name(), id, before, row));
    }

    @Override
    public void delete(RowId id) throws ShelfException {
        Row before = get(id).orElse(null);
        super.delete(id);
        bus.publish(new Event.Deleted(name(), id, before));
    }
}
