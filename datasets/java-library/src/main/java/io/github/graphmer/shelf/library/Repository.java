package io.github.graphmer.shelf.library;

import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.index.UniqueIndex;
import io.github.graphmer.shelf.meta.RecordMapper;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.query.Evaluator;
import io.github.graphmer.shelf.query.Expression;
import io.github.graphmer.shelf.store.Database;
import io.github.graphmer.shelf.store.Table;
import io.github.graphmer.shelf.util.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A table seen as a collection of records. */
public class Repository<R extends Record> {
    private final RecordMapper<R> mapper;
    private final Table table;

    public Repository(Database database, Class<R> type) throws ShelfException {
        this.mapper = new RecordMapper<>(type);
        this.table = database.create(mapper.tableName(), mapper.schema());
        mapper.createIndexes(table);
    }

    public Table table() {
        return table;
    }

    public RowId add(R object) throws ShelfException {
        return table.insert(mapper.toRow(object));
    }

    public void replace(RowId id, R object) throws ShelfException {
        table.update(id, mapper.toRow(object));
    }

    /** The record with a key in a uniquely indexed column. */
    public Optional<Pair<RowId, R>> find(String column, Object key) throws SchemaException {
        Optional<UniqueIndex> index = table.index(column, UniqueIndex.class);
        if (index.isEmpty()) {
            throw new SchemaException("there is no unique index on " + column);
        }
        Optional<RowId> id = index.get().only(Value.of(key));
        if (id.isEmpty()) {
            return Optional.empty();
        }
        Row row = table.get(id.get()).orElseThrow();
        return Optional.of(Pair.of(id.get(), mapper.fromRow(row)));
    }

    /** The record with a key that must be there. */
    public Pair<RowId, R> require(String column, Object key) throws ShelfException {
        return find(column, key).orElseThrow(
                () -> new ShelfException("no " + table.name() + " has " + column + " " + key));
    }

    public List<Pair<RowId, R>> select(Expression condition) throws SchemaException {
        List<Pair<RowId, R>> found = new ArrayList<>();
        for (Pair<RowId, Row> entry : table) {
            if (Evaluator.test(condition, entry.second())) {
                found.add(Pair.of(entry.first(), mapper.fromRow(entry.second())));
            }
        }
        return found;
    }
}
