package io.github.graphmer.shelf.plan;

import io.github.graphmer.shelf.index.Index;
import io.github.graphmer.shelf.index.RangeIndex;
import io.github.graphmer.shelf.index.WordIndex;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.store.Table;
import java.util.Collection;
import java.util.Iterator;
import java.util.Optional;
import java.util.stream.StreamSupport;

/** The steps that read tables. */
final class Sources {
    private Sources() {
    }

    /** Reads every row. */
    static final class Scan extends Plan {
        private final Table table;

        Scan(Table table) {
            super(table.schema());
            this.table = table;
        }

        @Override
        public double estimate() {
            return table.size();
        }

        @Override
        protected String describe() {
            return "scan " + table.name();
        }

        @Override
        public Iterator<Row> iterator() {
            return StreamSupport.stream(table.spliterator(), false).map(pair -> pair.second()).iterator();
        }
    }

    /** Reads the rows that an index finds. */
    abstract static class IndexStep<I extends Index> extends Plan {
        protected final Table table;
        protected final I index;

        IndexStep(Table table, I index) {
            super(table.schema());
            this.table = table;
            this.index = index;
        }

        abstract Collection<RowId> ids();

        @Override
        public Iterator<Row> iterator() {
            return ids().stream().map(table::get).flatMap(Optional::stream).iterator();
        }
    }

    static final class Lookup extends IndexStep<Index> {
        private final Value key;

        Lookup(Table table, Index index, Value key) {
            super(table, index);
            this.key = key;
        }

        @Override
        Collection<RowId> ids() {
            return index.equal(key);
        }

        @Override
        public double estimate() {
            return (double) table.size() / Math.max(1, index.distinctKeys());
        }

        @Override
        protected String describe() {
            return "lookup " + table.name() + " by " + index + " = " + key;
        }
    }

    static final class Range extends IndexStep<RangeIndex> {
        private static final double SELECTIVITY = 0.3;
        private final Value low;
        private final Value high;

        Range(Table table, RangeIndex index, Value low, Value high) {
            super(table, index);
            this.low = low;
            this.high = high;
        }

        @Override
        Collection<RowId> ids() {
            if (low == null) {
                return index.atMost(high);
            }
            return high == null ? index.atLeast(low) : index.between(low, high);
        }

        @Override
        public double estimate() {
            return table.size() * SELECTIVITY;
        }

        @Override
        protected String describe() {
            return "range " + table.name() + " by " + index + " [" + low + ", " + high + "]";
        }
    }

    static final class Search extends IndexStep<WordIndex> {
        private final String phrase;

        Search(Table table, WordIndex index, String phrase) {
            super(table, index);
            this.phrase = phrase;
        }

        @Override
        Collection<RowId> ids() {
            return index.search(phrase);
        }

        @Override
        public double estimate() {
            return Math.sqrt(table.size());
        }

        @Override
        protected String describe() {
            return "search " + table.name() + " for " + phrase;
        }
    }
}
