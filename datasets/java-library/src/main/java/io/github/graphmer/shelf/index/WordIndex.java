package io.github.graphmer.shelf.index;

import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.util.Text;
import io.github.graphmer.shelf.util.Trie;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;

/** An index over the words of a text column, for searches by word or by the beginning of one. */
public final class WordIndex extends HashIndex {
    private final Trie<Set<RowId>> words = new Trie<>();

    public WordIndex(Schema schema, String column) throws SchemaException {
        super(schema, column);
    }

    @Override
    protected void insert(Value key, RowId id) {
        super.insert(key, id);
        for (String word : Text.words(key.text())) {
            words.computeIfAbsent(word, HashSet::new).add(id);
        }
    }

    @Override
    protected void delete(Value key, RowId id) {
        super.delete(key, id);
        for (String word : Text.words(key.text())) {
            Set<RowId> ids = words.get(word);
            if (ids != null) {
                ids.remove(id);
            }
        }
    }

    /** Rows that have every word of the phrase; the last word may be only begun. */
    public Collection<RowId> search(String phrase) {
        Set<RowId> result = null;
        for (String word : Text.words(phrase)) {
            Set<RowId> hits = new TreeSet<>();
            words.startingWith(word).forEach(hits::addAll);
            if (result == null) {
                result = hits;
            } else {
                result.retainAll(hits);
            }
        }
        return result == null ? Set.of() : result;
    }
}
