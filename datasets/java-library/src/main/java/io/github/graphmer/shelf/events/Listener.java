package io.github.graphmer.shelf.events;

import java.util.function.Predicate;

/** Is told about events of one kind. */
@FunctionalInterface
public interface Listener<E extends Event> {
    void on(E event);

    default Listener<E> when(Predicate<? super E> condition) {
        return event -> {
            if (condition.test(event)) {
                on(event);
            }
        };
    }

    default Listener<E> andThen(Listener<? super E> next) {
        return event -> {
            on(event);
            next.on(event);
        };
    }
}
