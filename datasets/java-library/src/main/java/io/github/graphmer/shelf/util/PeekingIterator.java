package io.github.graphmer.shelf.util;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Predicate;

/** An iterator that can look one element ahead. */
public final class PeekingIterator<E> implements Iterator<E> {
    private final Iterator<? extends E> inner;
    private E ahead;
    private boolean filled;

    public PeekingIterator(Iterator<? extends E> inner) {
        this.inner = inner;
    }

    @Override
    public boolean hasNext() {
        return filled || inner.hasNext();
    }

    @Override
    public E next() {
        E result = peek();
        filled = false;
        ahead = null;
        return result;
    }

    /** The element that {@link #next()} will return. */
    public E peek() {
        if (!filled) {
            if (!inner.hasNext()) {
                throw new NoSuchElementException("nothing to peek at");
            }
            ahead = inner.next();
            filled = true;
        }
        return ahead;
    }

    /** Takes the next element if there is one and it passes the test. */
    public Optional<E> nextIf(Predicate<? super E> test) {
        if (hasNext() && test.test(peek())) {
            return Optional.of(next());
        }
        return Optional.empty();
    }
}
