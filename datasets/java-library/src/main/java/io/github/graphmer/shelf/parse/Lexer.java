package io.github.graphmer.shelf.parse;

import io.github.graphmer.shelf.error.SyntaxException;
import io.github.graphmer.shelf.parse.Token.Kind;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.IntPredicate;

/** Cuts a query text into tokens. */
final class Lexer implements Iterator<Token> {
    private static final String[] LONG_SYMBOLS = {"<=", ">=", "<>"};

    private final String text;
    private int at;
    private boolean ended;

    Lexer(String text) {
        this.text = text;
    }

    @Override
    public boolean hasNext() {
        return !ended;
    }

    @Override
    public Token next() {
        if (ended) {
            throw new NoSuchElementException("end of query");
        }
        skip(Character::isWhitespace);
        int start = at;
        if (at == text.length()) {
            ended = true;
            return new Token(Kind.END, "", start);
        }
        char c = text.charAt(at);
        if (Character.isLetter(c)) {
            skip(ch -> Character.isLetterOrDigit(ch) || ch == '_' || ch == '.');
            return token(Kind.WORD, start);
        }
        if (Character.isDigit(c)) {
            skip(ch -> Character.isDigit(ch) || ch == '.');
            return token(Kind.NUMBER, start);
        }
        return c == '\'' ? string(start) : symbol(start);
    }

    private Token string(int start) {
        StringBuilder content = new StringBuilder();
        at++;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c != '\'') {
                content.append(c);
            } else if (at < text.length() && text.charAt(at) == '\'') {
                content.append(c);
                at++;
            } else {
                return new Token(Kind.STRING, content.toString(), start);
            }
        }
        throw new SyntaxException(text, start, "string without end");
    }

    private Token symbol(int start) {
        for (String symbol : LONG_SYMBOLS) {
            if (text.startsWith(symbol, at)) {
                at += symbol.length();
                return token(Kind.SYMBOL, start);
            }
        }
        at++;
        return token(Kind.SYMBOL, start);
    }

    private Token token(Kind kind, int start) {
        return new Token(kind, text.substring(start, at), start);
    }

    private void skip(IntPredicate test) {
        while (at < text.length() && test.test(text.charAt(at))) {
            at++;
        }
    }
}
