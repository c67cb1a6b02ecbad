package io.github.graphmer.shelf.error;

/** The root of everything that can go wrong with data and that a caller is expected to handle. */
public class ShelfException extends Exception {
    private static final long serialVersionUID = 1L;

    public ShelfException(String message) {
        super(message);
    }

    public ShelfException(String message, Throwable cause) {
        super(message, cause);
    }

    /** A short advice on how to repair the situation; empty when there is none. */
    public String remedy() {
        return "";
    }

    @Override
    public String getMessage() {
        String advice = remedy();
        return advice.isEmpty() ? super.getMessage() : super.getMessage() + " (" + advice + ")";
    }
}
