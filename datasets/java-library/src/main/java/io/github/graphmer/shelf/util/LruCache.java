package io.github.graphmer.shelf.util;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Function;

/**
 * A bounded map that forgets the entry used longest ago. A hash map finds the node, a circular doubly linked list
 * keeps the order of use.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public class LruCache<K, V> implements Iterable<V> {
    private final Map<K, Node<K, V>> nodes = new HashMap<>();
    private final Node<K, V> head = new Node<>(null, null);
    private final int capacity;
    private long hits;
    private long misses;

    public LruCache(int capacity) {
        this.capacity = Checks.notNegative(capacity, "capacity");
    }

    /** Returns the cached value, or computes, stores and returns it. */
    public V get(K key, Function<? super K, ? extends V> compute) {
        Node<K, V> node = nodes.get(key);
        if (node != null) {
            hits++;
            node.unlink();
            node.linkAfter(head);
            return node.value;
        }
        misses++;
        V value = compute.apply(key);
        put(key, value);
        return value;
    }

    public void put(K key, V value) {
        Node<K, V> node = nodes.computeIfAbsent(key, k -> new Node<>(k, value));
        node.value = value;
        node.unlink();
        node.linkAfter(head);
        if (nodes.size() > capacity) {
            Node<K, V> oldest = head.previous;
            oldest.unlink();
            nodes.remove(oldest.key);
            onEvict(oldest.key, oldest.value);
        }
    }

    /** Called for each entry that had to go; subclasses may release what it held. */
    protected void onEvict(K key, V value) {
    }

    public void clear() {
        nodes.clear();
        head.unlink();
    }

    public int size() {
        return nodes.size();
    }

    /** The share of look-ups that were answered from the cache. */
    public double hitRate() {
        long all = hits + misses;
        return all == 0 ? 0.0 : (double) hits / all;
    }

    /** Iterates over the values, most recently used first. */
    @Override
    public Iterator<V> iterator() {
        return new Iterator<>() {
            private Node<K, V> at = head.next;

            @Override
            public boolean hasNext() {
                return at != head;
            }

            @Override
            public V next() {
                if (!hasNext()) {
                    throw new NoSuchElementException("end of cache");
                }
                V value = at.value;
                at = at.next;
                return value;
            }
        };
    }

    private static final class Node<K, V> {
        private final K key;
        private V value;
        private Node<K, V> previous = this;
        private Node<K, V> next = this;

        Node(K key, V value) {
            this.key = key;
            this.value = value;
        }

        void unlink() {
            previous.next = next;
            next.previous = previous;
            previous = this;
            next = this;
        }

        void linkAfter(Node<K, V> other) {
            next = other.next;
            previous = other;
            other.next.previous = this;
            other.next = this;
        }
    }
}
