package io.github.graphmer.shelf.events;

import io.github.graphmer.shelf.util.Checks;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Remembers the last events and can say what happened in words. */
public class AuditTrail implements Listener<Event>, AutoCloseable {
    private final Deque<Event> events = new ArrayDeque<>();
    private final int limit;
    private final EventBus.Subscription<Event> subscription;

    public AuditTrail(EventBus bus, int limit) {
        this.limit = Checks.notNegative(limit, "limit");
        this.subscription = bus.subscribe(Event.class, this);
    }

    @Override
    public void on(Event event) {
        events.addLast(event);
        while (events.size() > limit) {
            events.removeFirst();
        }
    }

    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (Event event : events) {
            lines.add(event.table() + ": " + describe(event));
        }
        return lines;
    }

    /** One event in words; subclasses may know better words. */
    protected String describe(Event event) {
        if (event instanceof Event.Inserted inserted) {
            return "added " + inserted.id() + " " + inserted.row();
        }
        if (event instanceof Event.Updated updated) {
            return "changed " + updated.id() + " from " + updated.before() + " to " + updated.after();
        }
        if (event instanceof Event.Deleted deleted) {
            return "removed " + deleted.id();
        }
        return "committed " + ((Event.Committed) event).changes() + " changes";
    }

    @Override
    public void close() {
        subscription.close();
    }
}
