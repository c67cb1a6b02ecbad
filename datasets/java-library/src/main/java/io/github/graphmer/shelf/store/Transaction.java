package io.github.graphmer.shelf.store;

import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.events.Event;
import io.github.graphmer.shelf.events.EventBus;
import io.github.graphmer.shelf.util.Checks;
import java.util.ArrayDeque;
import java.util.Deque;

/** Records every change while it is open and takes all of them back unless it is committed. */
public final class Transaction implements AutoCloseable {
    private enum State {
        OPEN,
        COMMITTED,
        ROLLED_BACK
    }

    private final Database database;
    private final Deque<Event> log = new ArrayDeque<>();
    private final EventBus.Subscription<Event> subscription;
    private State state = State.OPEN;

    Transaction(Database database) {
        this.database = database;
        this.subscription = database.bus().subscribe(Event.class, log::push);
    }

    public int changes() {
        return log.size();
    }

    public void commit() {
        finish(State.COMMITTED);
        for (Table table : database.tables()) {
            int changes = (int) log.stream().filter(event -> event.table().equals(table.name())).count();
            if (changes > 0) {
                database.bus().publish(new Event.Committed(table.name(), changes));
            }
        }
    }

    public void rollback() throws ShelfException {
        finish(State.ROLLED_BACK);
        while (!log.isEmpty()) {
            apply(log.pop().inverse());
        }
    }

    /** Closing an open transaction rolls it back. */
    @Override
    public void close() throws ShelfException {
        if (state == State.OPEN) {
            rollback();
        }
    }

    private void finish(State next) {
        Checks.state(state == State.OPEN, () -> "the transaction is " + state.name().toLowerCase());
        state = next;
        subscription.close();
    }

    private void apply(Event event) throws ShelfException {
        HeapTable heap = database.heap(event.table());
        if (event instanceof Event.Inserted inserted) {
            heap.restore(inserted.id(), inserted.row());
        } else if (event instanceof Event.Updated updated) {
            heap.update(updated.id(), updated.after());
        } else if (event instanceof Event.Deleted deleted) {
            heap.delete(deleted.id());
        }
    }
}
