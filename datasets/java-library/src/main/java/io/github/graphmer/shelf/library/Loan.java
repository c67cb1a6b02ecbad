package io.github.graphmer.shelf.library;

import io.github.graphmer.shelf.index.IndexKind;
import io.github.graphmer.shelf.meta.Indexed;
import io.github.graphmer.shelf.meta.Required;
import java.time.LocalDate;

/** A book in the hands of a member; it ends when the book is back. */
public record Loan(@Indexed @Required String card, @Indexed @Required String book,
        @Indexed(IndexKind.ORDERED) LocalDate due, LocalDate back) {
    public static Loan start(Member member, Book book, LocalDate today) {
        return new Loan(member.card(), book.isbn(), today.plusDays(member.allowance().days()), null);
    }

    public Loan end(LocalDate day) {
        return new Loan(card, book, due, day);
    }

    public boolean isOpen() {
        return back == null;
    }

    /** Days past the due date on a day; 0 when not late. */
    public long daysLate(LocalDate day) {
        return Math.max(0, day.toEpochDay() - due.toEpochDay());
    }
}
