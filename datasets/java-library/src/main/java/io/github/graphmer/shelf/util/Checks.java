package io.github.graphmer.shelf.util;

import java.util.Collection;
import java.util.function.Supplier;

/** Argument checks that return what they checked, so that they fit into an assignment. */
public final class Checks {
    private Checks() {
    }

    /** Returns the value, or fails naming what was missing. */
    public static <T> T present(T value, String what) {
        if (value == null) {
            throw new IllegalArgumentException(what + " is missing");
        }
        return value;
    }

    /** Returns the text, or fails when it is null or blank. */
    public static String notBlank(String text, String what) {
        if (present(text, what).isBlank()) {
            throw new IllegalArgumentException(what + " is blank");
        }
        return text;
    }

    /** Returns the number, or fails when it is negative. */
    public static int notNegative(int number, String what) {
        if (number < 0) {
            throw new IllegalArgumentException(what + " is negative: " + number);
        }
        return number;
    }

    /** Returns the collection, or fails when it has no element. */
    public static <E, C extends Collection<E>> C notEmpty(C items, String what) {
        if (present(items, what).isEmpty()) {
            throw new IllegalArgumentException(what + " is empty");
        }
        return items;
    }

    /** Fails with a lazily made message when a state that must hold does not. */
    public static void state(boolean holds, Supplier<String> message) {
        if (!holds) {
            throw new IllegalStateException(message.get());
        }
    }
}
