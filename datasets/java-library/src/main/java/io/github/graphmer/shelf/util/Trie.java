package io.github.graphmer.shelf.util;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** A prefix tree from words to values, used where a query asks for everything that starts with a text. */
public final class Trie<V> {
    private final Branch<V> root = new Branch<>();
    private int size;

    /** Returns the value at the word, making it with the factory when there is none. */
    public V computeIfAbsent(String word, java.util.function.Supplier<? extends V> factory) {
        Branch<V> at = root;
        for (int i = 0; i < word.length(); i++) {
            at = at.children.computeIfAbsent(word.charAt(i), c -> new Branch<>());
        }
        if (at.value == null) {
            at.value = factory.get();
            size++;
        }
        return at.value;
    }

    public V get(String word) {
        Branch<V> branch = find(word);
        return branch == null ? null : branch.value;
    }

    /** All values whose word starts with the prefix, in the order of their words. */
    public List<V> startingWith(String prefix) {
        List<V> found = new ArrayList<>();
        Branch<V> branch = find(prefix);
        if (branch != null) {
            walk(branch, new StringBuilder(prefix), (word, value) -> found.add(value));
        }
        return found;
    }

    public void forEach(BiConsumer<String, ? super V> action) {
        walk(root, new StringBuilder(), action);
    }

    public int size() {
        return size;
    }

    private Branch<V> find(String prefix) {
        Branch<V> at = root;
        for (char c : prefix.toCharArray()) {
            at = at.children.get(c);
            if (at == null) {
                return null;
            }
        }
        return at;
    }

    private static <V> void walk(Branch<V> branch, StringBuilder path, BiConsumer<String, ? super V> action) {
        if (branch.value != null) {
            action.accept(path.toString(), branch.value);
        }
        for (Map.Entry<Character, Branch<V>> child : branch.children.entrySet()) {
            path.append(child.getKey());
            walk(child.getValue(), path, action);
            path.setLength(path.length() - 1);
        }
    }

    private static class Branch<V> {
        final Map<Character, Branch<V>> children = new TreeMap<>();
        V value;
    }
}
