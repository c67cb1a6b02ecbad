package io.github.graphmer.shelf.util;

import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A value computed once, when it is first asked for.
 *
 * @param <T> what is computed
 */
public final class Lazy<T> implements Supplier<T> {
    private Supplier<? extends T> source;
    private T value;
    private boolean ready;

    private Lazy(Supplier<? extends T> source) {
        this.source = Checks.present(source, "source");
    }

    public static <T> Lazy<T> of(Supplier<? extends T> source) {
        return new Lazy<>(source);
    }

    @Override
    public synchronized T get() {
        if (!ready) {
            value = source.get();
            ready = true;
            source = null;
        }
        return value;
    }

    /** Forgets nothing: a derived value that is itself lazy. */
    public <R> Lazy<R> map(Function<? super T, ? extends R> change) {
        return new Lazy<>(() -> change.apply(get()));
    }

    public synchronized boolean isReady() {
        return ready;
    }
}
