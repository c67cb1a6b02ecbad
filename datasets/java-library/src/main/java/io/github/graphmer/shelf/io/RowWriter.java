package io.github.graphmer.shelf.io;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/** Writes rows in some format; the format is a subclass. */
public abstract class RowWriter implements Closeable {
    protected final Appendable out;
    private int written;

    protected RowWriter(Appendable out) {
        this.out = out;
    }

    protected abstract void begin(Schema schema) throws IOException;

    protected abstract void write(Row row, int number) throws IOException;

    protected void end() throws IOException {
    }

    /** Writes a whole result and returns the number of rows. */
    public final int writeAll(Schema schema, Iterable<Row> rows) throws IOException {
        begin(schema);
        for (Row row : rows) {
            write(row, written++);
        }
        end();
        return written;
    }

    @Override
    public void close() throws IOException {
        if (out instanceof Closeable closeable) {
            closeable.close();
        }
    }

    /** The text that a writer makes of some rows. */
    public static String toText(java.util.function.Function<Appendable, ? extends RowWriter> maker, Schema schema,
            List<Row> rows) {
        StringBuilder text = new StringBuilder();
        try (RowWriter writer = maker.apply(text)) {
            writer.writeAll(schema, rows);
        } catch (IOException e) {
            throw new UncheckedIOException("a string builder does not fail", e);
        }
        return text.toString();
    }
}
