package io.github.graphmer.shelf.store;

import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.events.EventBus;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.util.Text;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** All tables and what connects them: names, events and transactions. */
public final class Database {
    private final Map<String, HeapTable> heaps = new LinkedHashMap<>();
    private final Map<String, Table> tables = new LinkedHashMap<>();
    private final EventBus bus = new EventBus();

    public Table create(String name, Schema schema) throws SchemaException {
        String key = Text.identifier(name);
        if (tables.containsKey(key)) {
            throw new SchemaException("table " + key + " exists already");
        }
        HeapTable heap = new HeapTable(key, schema);
        heaps.put(key, heap);
        Table table = new ObservedTable(heap, bus);
        tables.put(key, table);
        return table;
    }

    public Table table(String name) throws SchemaException {
        Table table = tables.get(Text.identifier(name));
        if (table == null) {
            throw SchemaException.unknown("table", name, tables.keySet());
        }
        return table;
    }

    public Collection<Table> tables() {
        return tables.values();
    }

    public EventBus bus() {
        return bus;
    }

    public Transaction begin() {
        return new Transaction(this);
    }

    /** Runs work in a transaction: all of it happens, or nothing. */
    public <T, X extends Exception> T atomically(Work<T, X> work) throws X, ShelfException {
        try (Transaction transaction = begin()) {
            T result = work.run(this);
            transaction.commit();
            return result;
        }
    }

    HeapTable heap(String name) {
        return heaps.get(name);
    }

    /** What is done in a transaction; it may fail in its own way. */
    @FunctionalInterface
    public interface Work<T, X extends Exception> {
        T run(Database database) throws X, ShelfException;
    }
}
