package io.github.graphmer.shelf.library;

import io.github.graphmer.shelf.index.IndexKind;
import io.github.graphmer.shelf.meta.Indexed;
import io.github.graphmer.shelf.meta.Named;
import io.github.graphmer.shelf.meta.Required;

/** Someone who may borrow books. */
public record Member(@Indexed(IndexKind.UNIQUE) @Required String card, @Required String name,
        @Named("kind") String category) {
    /** What the category allows. */
    public Category allowance() {
        return Category.valueOf(category);
    }

    /** The kinds of members; each has its own rules. */
    public enum Category {
        CHILD(3, 14) {
            @Override
            public FinePolicy fines() {
                return FinePolicy.NONE;
            }
        },
        ADULT(6, 28),
        SCHOLAR(20, 84) {
            @Override
            public FinePolicy fines() {
                return super.fines().afterGraceOf(7);
            }
        };

        private final int books;
        private final int days;

        Category(int books, int days) {
            this.books = books;
            this.days = days;
        }

        public int books() {
            return books;
        }

        public int days() {
            return days;
        }

        public FinePolicy fines() {
            return FinePolicy.perDay("0.20").atMost("15.00");
        }
    }
}
