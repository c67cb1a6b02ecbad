package io.github.graphmer.shelf.model;

import java.util.concurrent.atomic.AtomicLong;

/** The identity of a stored row: it survives updates and is never used again. */
public record RowId(long number) implements Comparable<RowId> {
    @Override
    public int compareTo(RowId other) {
        return Long.compare(number, other.number);
    }

    @Override
    public String toString() {
        return "#" + number;
    }

    /** Hands out ascending identities. */
    public static final class Sequence {
        private final AtomicLong last = new AtomicLong();

        public RowId next() {
            return new RowId(last.incrementAndGet());
        }
    }
}
