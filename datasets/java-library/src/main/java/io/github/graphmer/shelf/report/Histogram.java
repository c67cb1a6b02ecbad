package io.github.graphmer.shelf.report;

import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.plan.Plan;
import io.github.graphmer.shelf.util.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToIntFunction;

/** Counts the values of one column and draws a bar for each. */
public final class Histogram {
    private static final int WIDTH = 30;
    private final Map<Value, Integer> counts = new TreeMap<>();

    public static Histogram of(Plan plan, String column) throws SchemaException {
        Histogram histogram = new Histogram();
        for (Row row : plan) {
            histogram.counts.merge(row.get(column), 1, Integer::sum);
        }
        return histogram;
    }

    /** The most frequent values first; ties in the order of the values. */
    public List<Pair<Value, Integer>> top(int limit) {
        List<Pair<Value, Integer>> pairs = new ArrayList<>();
        counts.forEach((value, count) -> pairs.add(Pair.of(value, count)));
        ToIntFunction<Pair<Value, Integer>> negated = pair -> -pair.second();
        pairs.sort(java.util.Comparator.comparingInt(negated));
        return pairs.subList(0, Math.min(limit, pairs.size()));
    }

    @Override
    public String toString() {
        int most = counts.values().stream().mapToInt(Integer::intValue).max().orElse(1);
        StringBuilder out = new StringBuilder();
        for (Map.Entry<Value, Integer> entry : counts.entrySet()) {
            int length = Math.max(1, entry.getValue() * WIDTH / most);
            out.append("#".repeat(length)).append(' ').append(entry.getKey().text());
            out.append(" (").append(entry.getValue()).append(")\n");
        }
        return out.toString();
    }
}
