package io.github.graphmer.shelf.error;

/** A row that would break a promise of the schema. */
public class ConstraintException extends ShelfException {
    private static final long serialVersionUID = 1L;
    private final String constraint;

    public ConstraintException(String constraint, String message) {
        super(message);
        this.constraint = constraint;
    }

    public String constraint() {
        return constraint;
    }

    /** Two rows with the same key. */
    public static final class Duplicate extends ConstraintException {
        private static final long serialVersionUID = 1L;

        public Duplicate(String column, Object key) {
            super("unique(" + column + ")", "there is already a row with " + column + " = " + key);
        }

        @Override
        public String remedy() {
            return "update the existing row instead";
        }
    }

    /** A value that must be there and is not. */
    public static final class Missing extends ConstraintException {
        private static final long serialVersionUID = 1L;

        public Missing(String column) {
            super("required(" + column + ")", "column " + column + " needs a value");
        }
    }
}
