package io.github.graphmer.shelf.error;

import io.github.graphmer.shelf.util.Text;

/** A name or a type that the schema does not know. */
public class SchemaException extends ShelfException {
    private static final long serialVersionUID = 1L;
    private final String suggestion;

    public SchemaException(String message) {
        this(message, null);
    }

    private SchemaException(String message, String suggestion) {
        super(message);
        this.suggestion = suggestion;
    }

    /** An unknown column or table, with the closest known name as advice. */
    public static SchemaException unknown(String kind, String name, Iterable<String> known) {
        return new SchemaException("unknown " + kind + " '" + name + "'", Text.closest(name, known));
    }

    @Override
    public String remedy() {
        return suggestion == null ? super.remedy() : "did you mean '" + suggestion + "'?";
    }
}
