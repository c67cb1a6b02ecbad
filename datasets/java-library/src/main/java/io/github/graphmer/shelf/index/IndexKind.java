package io.github.graphmer.shelf.index;

import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.model.Schema;

/** The indexes that can be asked for by name. */
public enum IndexKind {
    HASH(HashIndex::new),
    UNIQUE(UniqueIndex::new),
    ORDERED(OrderedIndex::new),
    WORDS(WordIndex::new) {
        @Override
        public String describe() {
            return "full text";
        }
    };

    private final Factory factory;

    IndexKind(Factory factory) {
        this.factory = factory;
    }

    public Index create(Schema schema, String column) throws SchemaException {
        return factory.create(schema, column);
    }

    public String describe() {
        return name().toLowerCase();
    }

    @FunctionalInterface
    private interface Factory {
        Index create(Schema schema, String column) throws SchemaException;
    }
}
