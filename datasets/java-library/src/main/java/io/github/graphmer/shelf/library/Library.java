package io.github.graphmer.shelf.library;

import static io.github.graphmer.shelf.query.Expression.column;

import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.library.LendingException.Reason;
import io.github.graphmer.shelf.model.RowId;
import io.github.graphmer.shelf.parse.QueryParser;
import io.github.graphmer.shelf.plan.Plan;
import io.github.graphmer.shelf.plan.Planner;
import io.github.graphmer.shelf.query.Conditions;
import io.github.graphmer.shelf.query.Expression;
import io.github.graphmer.shelf.store.Database;
import io.github.graphmer.shelf.util.LruCache;
import io.github.graphmer.shelf.util.Pair;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.List;

/** The lending desk: books go out, books come back, and someone pays. */
public class Library {
    private static final int CACHED_QUERIES = 16;

    private final Database database = new Database();
    private final Repository<Book> books;
    private final Repository<Member> members;
    private final Repository<Loan> loans;
    private final Planner planner = new Planner(database);
    private final LruCache<String, io.github.graphmer.shelf.query.Query> parsed = new LruCache<>(CACHED_QUERIES);

    public Library() throws ShelfException {
        books = new Repository<>(database, Book.class);
        members = new Repository<>(database, Member.class);
        loans = new Repository<>(database, Loan.class);
    }

    public Database database() {
        return database;
    }

    public void add(Book book) throws ShelfException {
        books.add(book);
    }

    public void add(Member member) throws ShelfException {
        members.add(member);
    }

    /** Lends a book and returns the loan; nothing is changed when it is refused. */
    public Loan lend(String isbn, String card, LocalDate today) throws ShelfException {
        return database.atomically(db -> {
            Member member = members.require("card", card).second();
            Pair<RowId, Book> entry = books.require("isbn", isbn);
            Book book = entry.second();
            if (book.copies() == 0) {
                throw new LendingException(Reason.NO_COPY, book.title());
            }
            if (open(column("card").is(card)).size() >= member.allowance().books()) {
                throw new LendingException(Reason.TOO_MANY, member.name());
            }
            books.replace(entry.first(), book.withCopies(book.copies() - 1));
            Loan loan = Loan.start(member, book, today);
            loans.add(loan);
            return loan;
        });
    }

    /** Takes a book back and returns the fine. */
    public BigDecimal giveBack(String isbn, String card, LocalDate today) throws ShelfException {
        List<Pair<RowId, Loan>> candidates = open(Conditions.all(column("card").is(card), column("book").is(isbn)));
        if (candidates.isEmpty()) {
            throw new LendingException(Reason.NOT_LENT, isbn);
        }
        Pair<RowId, Loan> entry = candidates.get(0);
        Loan loan = entry.second();
        return database.<BigDecimal, ShelfException>atomically(db -> {
            loans.replace(entry.first(), loan.end(today));
            Pair<RowId, Book> book = books.require("isbn", isbn);
            books.replace(book.first(), book.second().withCopies(book.second().copies() + 1));
            FinePolicy policy = members.require("card", card).second().allowance().fines();
            return policy.fine(loan.daysLate(today));
        });
    }

    /** Loans past their day, the latest first. */
    public List<Loan> overdue(LocalDate today) throws ShelfException {
        return open(column("due").compare(Expression.Comparator.LESS, today)).stream()
                .map(Pair::second)
                .sorted((a, b) -> Long.compare(b.daysLate(today), a.daysLate(today)))
                .toList();
    }

    public Plan ask(String text) {
        return planner.plan(parsed.get(text, QueryParser::parse));
    }

    private List<Pair<RowId, Loan>> open(Expression condition) throws ShelfException {
        List<Pair<RowId, Loan>> found = loans.select(condition);
        found.removeIf(entry -> !entry.second().isOpen());
        return found;
    }
}
