package io.github.graphmer.shelf.events;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Delivers events to those who asked for their class, in the order in which they asked. */
public class EventBus {
    private final Map<Class<? extends Event>, List<Subscription<?>>> subscriptions = new LinkedHashMap<>();
    private long delivered;

    public <E extends Event> Subscription<E> subscribe(Class<E> type, Listener<? super E> listener) {
        Subscription<E> subscription = new Subscription<>(type, listener);
        subscriptions.computeIfAbsent(type, t -> new ArrayList<>()).add(subscription);
        return subscription;
    }

    public void publish(Event event) {
        for (Map.Entry<Class<? extends Event>, List<Subscription<?>>> entry : subscriptions.entrySet()) {
            if (entry.getKey().isInstance(event)) {
                for (Subscription<?> subscription : List.copyOf(entry.getValue())) {
                    subscription.deliver(event);
                }
            }
        }
    }

    public long delivered() {
        return delivered;
    }

    /** A listener's place on the bus; closing it ends the delivery. */
    public final class Subscription<E extends Event> implements AutoCloseable {
        private final Class<E> type;
        private final Listener<? super E> listener;

        private Subscription(Class<E> type, Listener<? super E> listener) {
            this.type = type;
            this.listener = listener;
        }

        private void deliver(Event event) {
            listener.on(type.cast(event));
            EventBus.this.delivered++;
        }

        @Override
        public void close() {
            subscriptions.get(type).remove(this);
        }
    }
}
