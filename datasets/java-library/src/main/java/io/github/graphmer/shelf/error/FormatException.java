package io.github.graphmer.shelf.error;

/** Text that should have been data: where it is and why it is not. */
public class FormatException extends ShelfException {
    private static final long serialVersionUID = 1L;
    private final int line;

    public FormatException(int line, String message, Throwable cause) {
        super("line " + line + ": " + message, cause);
        this.line = line;
    }

    public FormatException(int line, String message) {
        this(line, message, null);
    }

    public int line() {
        return line;
    }
}
