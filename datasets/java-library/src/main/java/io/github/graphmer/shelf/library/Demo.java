package io.github.graphmer.shelf.library;

import io.github.graphmer.shelf.error.QueryException;
import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.events.AuditTrail;
import io.github.graphmer.shelf.io.CsvReader;
import io.github.graphmer.shelf.io.JsonWriter;
import io.github.graphmer.shelf.io.RowWriter;
import io.github.graphmer.shelf.plan.Plan;
import io.github.graphmer.shelf.report.Histogram;
import io.github.graphmer.shelf.report.MarkdownReport;
import io.github.graphmer.shelf.report.PlainReport;
import io.github.graphmer.shelf.report.Report;
import java.io.IOException;
import java.io.StringReader;
import java.time.LocalDate;

/** A short day at the library, printed. */
public final class Demo {
    private static final String BOOKS = String.join("\n",
            "isbn,title,author,year,copies",
            "978-1,The Art of Computer Programming,Knuth,1968,2",
            "978-2,Structure and Interpretation of Computer Programs,Abelson,1985,1",
            "978-3,\"Gödel, Escher, Bach\",Hofstadter,1979,1",
            "978-4,Introduction to Algorithms,Cormen,1990,3");

    private final Library library;
    private final LocalDate today;

    static {
        System.setProperty("line.separator", "\n");
    }

    private Demo(LocalDate today) throws ShelfException {
        this.library = new Library();
        this.today = today;
    }

    public static void main(String[] arguments) throws IOException, ShelfException {
        Demo demo = new Demo(LocalDate.of(2024, 5, 1));
        try (AuditTrail trail = new AuditTrail(demo.library.database().bus(), 100)) {
            demo.fill();
            demo.lend();
            trail.lines().forEach(System.out::println);
        }
        Report report = arguments.length > 0 && arguments[0].equals("--markdown") ? new MarkdownReport() : new PlainReport();
        demo.show(report, "select title, year from book where title matches 'comp' order by year");
        demo.show(report, "select card, count(*) as loans, min(due) as first from loan group by card");
        demo.show(report, "select title, due from loan join book on book = isbn where year >= 1980");
        demo.show(report, "select titel from book");
        Plan all = demo.library.ask("select * from book");
        System.out.println(Histogram.of(all, "copies"));
        System.out.println(RowWriter.toText(JsonWriter::new, all.schema(), all.rows()));
    }

    private void fill() throws IOException, ShelfException {
        try (CsvReader reader = new CsvReader(new StringReader(BOOKS))) {
            reader.readInto(library.database().table("book"));
        }
        library.add(new Member("m1", "Ada", Member.Category.ADULT.name()));
        library.add(new Member("m2", "Grace", Member.Category.SCHOLAR.name()));
    }

    private void lend() throws ShelfException {
        library.lend("978-1", "m1", today.minusDays(60));
        library.lend("978-2", "m2", today);
        try {
            library.lend("978-2", "m1", today);
        } catch (LendingException e) {
            System.out.println(e.reason() + ": " + e.getMessage());
        }
        for (Loan loan : library.overdue(today)) {
            System.out.println(loan.book() + " is " + loan.daysLate(today) + " days late");
        }
        System.out.println("fine: " + library.giveBack("978-1", "m1", today));
    }

    private void show(Report report, String query) {
        System.out.println("> " + query);
        try {
            Plan plan = library.ask(query);
            System.out.println(plan.explain());
            System.out.println(report.render(plan));
        } catch (QueryException e) {
            System.out.println("! " + e.getMessage());
        }
    }
}
