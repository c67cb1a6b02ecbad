package io.github.graphmer.shelf.error;

/** A query text that does not parse. */
public final class SyntaxException extends QueryException {
    private static final long serialVersionUID = 1L;
    private final int offset;

    public SyntaxException(String text, int offset, String message) {
        super(message + " at offset " + offset + ": " + excerpt(text, offset));
        this.offset = offset;
    }

    public int offset() {
        return offset;
    }

    private static String excerpt(String text, int offset) {
        int from = Math.max(0, offset - 12);
        int to = Math.min(text.length(), offset + 12);
        return "`" + text.substring(from, to) + "`";
    }
}
