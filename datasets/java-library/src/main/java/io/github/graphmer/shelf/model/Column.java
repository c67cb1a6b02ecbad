package io.github.graphmer.shelf.model;

import io.github.graphmer.shelf.error.ConstraintException;
import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.util.Checks;
import io.github.graphmer.shelf.util.Text;

/** A named, typed place in every row of a table. */
public record Column(String name, ValueType type, boolean required) {
    public Column {
        name = Text.identifier(Checks.notBlank(name, "column name"));
        Checks.present(type, "type of column " + name);
    }

    public Column(String name, ValueType type) {
        this(name, type, false);
    }

    public Column asRequired() {
        return required ? this : new Column(name, type, true);
    }

    public Column renamed(String newName) {
        return new Column(newName, type, required);
    }

    /** Fails when the value may not stand in this column. */
    void check(Value value) throws SchemaException, ConstraintException {
        if (required && value.isNull()) {
            throw new ConstraintException.Missing(name);
        }
        if (!type.accepts(value)) {
            throw new SchemaException("column " + name + " holds " + type + ", not " + value.type());
        }
    }
}
