package io.github.graphmer.shelf.error;

/** A query that is wrong in itself. Unchecked: it is a mistake of the program, not of the data. */
public class QueryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public QueryException(String message) {
        super(message);
    }

    public QueryException(String message, Throwable cause) {
        super(message, cause);
    }
}
