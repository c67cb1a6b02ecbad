package io.github.graphmer.shelf.parse;

/** A word of the query language and where it starts. */
record Token(Kind kind, String text, int offset) {
    /** What a token is, as far as the lexer can tell. */
    enum Kind {
        WORD,
        NUMBER,
        STRING,
        SYMBOL,
        END;

        boolean isLiteral() {
            return this == NUMBER || this == STRING;
        }
    }

    boolean is(String expected) {
        return kind != Kind.STRING && text.equalsIgnoreCase(expected);
    }
}
