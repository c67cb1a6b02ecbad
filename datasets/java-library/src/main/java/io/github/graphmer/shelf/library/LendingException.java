package io.github.graphmer.shelf.library;

import io.github.graphmer.shelf.error.ShelfException;

/** A loan that the rules of the library do not allow. */
public class LendingException extends ShelfException {
    private static final long serialVersionUID = 1L;
    private final Reason reason;

    public LendingException(Reason reason, String what) {
        super(reason.describe(what));
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** Why a loan was refused. */
    public enum Reason {
        NO_COPY("no copy of %s is left"),
        TOO_MANY("member %s has reached the limit"),
        NOT_LENT("%s is not on loan");

        private final String template;

        Reason(String template) {
            this.template = template;
        }

        String describe(String what) {
            return String.format(template, what);
        }
    }
}
