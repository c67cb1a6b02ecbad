package io.github.graphmer.shelf.library;

import io.github.graphmer.shelf.index.IndexKind;
import io.github.graphmer.shelf.meta.Indexed;
import io.github.graphmer.shelf.meta.Required;

/** A book of the library; copies are not told apart. */
public record Book(
        @Indexed(IndexKind.UNIQUE) @Required String isbn,
        @Indexed(IndexKind.WORDS) @Required String title,
        @Indexed String author,
        @Indexed(IndexKind.ORDERED) long year,
        long copies) {
    public Book {
        if (copies < 0) {
            throw new IllegalArgumentException("a book cannot have " + copies + " copies");
        }
    }

    public Book withCopies(long number) {
        return new Book(isbn, title, author, year, number);
    }
}
