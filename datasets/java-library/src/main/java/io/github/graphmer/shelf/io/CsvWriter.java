package io.github.graphmer.shelf.io;

import io.github.graphmer.shelf.model.Column;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.util.Text;
import java.io.IOException;

/** Comma-separated values with a header line. */
public class CsvWriter extends RowWriter {
    private final char separator;

    public CsvWriter(Appendable out) {
        this(out, ',');
    }

    public CsvWriter(Appendable out, char separator) {
        super(out);
        this.separator = separator;
    }

    @Override
    protected void begin(Schema schema) throws IOException {
        String before = "";
        for (Column column : schema) {
            out.append(before).append(escape(column.name()));
            before = String.valueOf(separator);
        }
        out.append('\n');
    }

    @Override
    protected void write(Row row, int number) throws IOException {
        for (int i = 0; i < row.size(); i++) {
            if (i > 0) {
                out.append(separator);
            }
            Value value = row.get(i);
            out.append(escape(value.text()));
        }
        out.append('\n');
    }

    protected String escape(String text) {
        boolean special = text.indexOf(separator) >= 0 || text.indexOf(Text.QUOTE) >= 0 || text.indexOf('\n') >= 0;
        return special ? Text.quote(text) : text;
    }
}
