package io.github.graphmer.shelf.util;

import java.util.Comparator;
import java.util.function.Function;

/** Two values that travel together. */
public record Pair<A, B>(A first, B second) {
    public static <A, B> Pair<A, B> of(A first, B second) {
        return new Pair<>(first, second);
    }

    public Pair<B, A> swap() {
        return new Pair<>(second, first);
    }

    public <C> Pair<C, B> mapFirst(Function<? super A, ? extends C> change) {
        return of(change.apply(first), second);
    }

    public <C> Pair<A, C> mapSecond(Function<? super B, ? extends C> change) {
        return of(first, change.apply(second));
    }

    /** Orders pairs by their first value, ties by the second. */
    public static <A extends Comparable<A>, B extends Comparable<B>> Comparator<Pair<A, B>> lexicographic() {
        return Comparator.<Pair<A, B>, A>comparing(Pair::first).thenComparing(Pair::second);
    }
}
