package io.github.graphmer.shelf.meta;

import static io.github.graphmer.shelf.util.Text.identifier;

import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.index.IndexKind;
import io.github.graphmer.shelf.model.Column;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.model.ValueType;
import io.github.graphmer.shelf.store.Table;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Translates between Java records and rows: one column for each component.
 *
 * @param <R> the record class
 */
public final class RecordMapper<R extends Record> {
    private static final Map<Class<?>, ValueType> TYPES = Map.of(
            String.class, ValueType.TEXT,
            long.class, ValueType.WHOLE,
            Long.class, ValueType.WHOLE,
            BigDecimal.class, ValueType.DECIMAL,
            boolean.class, ValueType.FLAG,
            LocalDate.class, ValueType.DAY);

    private final Class<R> type;
    private final RecordComponent[] components;
    private final Schema schema;

    public RecordMapper(Class<R> type) throws SchemaException {
        this.type = type;
        this.components = type.getRecordComponents();
        Schema.Builder builder = Schema.builder();
        for (RecordComponent component : components) {
            builder.add(column(component));
        }
        this.schema = builder.build();
    }

    public Schema schema() {
        return schema;
    }

    /** The name of the table: the annotation's, or the record's own. */
    public String tableName() {
        Named named = type.getAnnotation(Named.class);
        return named != null ? named.value() : identifier(type.getSimpleName());
    }

    /** Makes the indexes that the record's annotations ask for. */
    public void createIndexes(Table table) throws ShelfException {
        for (RecordComponent component : components) {
            Indexed indexed = component.getAnnotation(Indexed.class);
            if (indexed != null) {
                IndexKind kind = indexed.value();
                table.addIndex(kind.create(schema, nameOf(component)));
            }
        }
    }

    public Row toRow(R object) throws ShelfException {
        Row.Draft draft = schema.draft();
        int position = 0;
        for (RecordComponent component : components) {
            draft.set(position++, Value.of(invoke(component, object)));
        }
        return draft.build();
    }

    public R fromRow(Row row) throws SchemaException {
        List<Object> arguments = new ArrayList<>();
        List<Class<?>> types = new ArrayList<>();
        for (RecordComponent component : components) {
            arguments.add(row.get(nameOf(component)).raw());
            types.add(component.getType());
        }
        try {
            return type.getDeclaredConstructor(types.toArray(new Class<?>[0])).newInstance(arguments.toArray());
        } catch (InvocationTargetException e) {
            throw new SchemaException(type.getSimpleName() + " rejects the row: " + e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new AssertionError("a record has its canonical constructor", e);
        }
    }

    private Object invoke(RecordComponent component, R object) throws SchemaException {
        try {
            return component.getAccessor().invoke(object);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new SchemaException("cannot read " + component.getName() + ": " + e.getMessage());
        }
    }

    private static Column column(RecordComponent component) throws SchemaException {
        ValueType valueType = TYPES.get(component.getType());
        if (valueType == null) {
            throw new SchemaException("no column type for " + component.getType().getName());
        }
        Column column = new Column(nameOf(component), valueType);
        return component.isAnnotationPresent(Required.class) ? column.asRequired() : column;
    }

    private static String nameOf(RecordComponent component) {
        Named named = component.getAnnotation(Named.class);
        return identifier(named == null ? component.getName() : named.value());
    }
}
