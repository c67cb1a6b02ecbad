package io.github.graphmer.shelf.io;

import static io.github.graphmer.shelf.util.Text.QUOTE;

import io.github.graphmer.shelf.error.FormatException;
import io.github.graphmer.shelf.error.ShelfException;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.store.Table;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.List;

/** Reads what {@link CsvWriter} writes; the header may name the columns in any order. */
public class CsvReader implements AutoCloseable {
    private final BufferedReader reader;
    private final char separator;
    private int line;

    public CsvReader(Reader reader, char separator) {
        this.reader = reader instanceof BufferedReader buffered ? buffered : new BufferedReader(reader);
        this.separator = separator;
    }

    public CsvReader(Reader reader) {
        this(reader, ',');
    }

    /** Inserts every line into a table and returns how many there were. */
    public int readInto(Table table) throws IOException, ShelfException {
        List<String> header = fields();
        if (header == null) {
            throw new FormatException(1, "there is no header");
        }
        int[] positions = new int[header.size()];
        for (int i = 0; i < positions.length; i++) {
            positions[i] = table.schema().position(header.get(i));
        }
        int count = 0;
        for (List<String> fields = fields(); fields != null; fields = fields()) {
            table.insert(row(table.schema(), positions, fields));
            count++;
        }
        return count;
    }

    private Row row(Schema schema, int[] positions, List<String> fields) throws ShelfException {
        if (fields.size() != positions.length) {
            throw new FormatException(line, "expected " + positions.length + " fields, found " + fields.size());
        }
        Row.Draft draft = schema.draft();
        for (int i = 0; i < positions.length; i++) {
            draft.set(positions[i], schema.column(positions[i]).type().parse(fields.get(i), line));
        }
        return draft.build();
    }

    /** The fields of the next line, or null at the end. A quoted field may go over several lines. */
    private List<String> fields() throws IOException, FormatException {
        String text = reader.readLine();
        if (text == null) {
            return null;
        }
        line++;
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; ; i++) {
            if (i == text.length()) {
                if (!quoted) {
                    break;
                }
                String more = reader.readLine();
                if (more == null) {
                    throw new FormatException(line, "quoted field without end");
                }
                line++;
                field.append('\n');
                text = more;
                i = -1;
                continue;
            }
            char c = text.charAt(i);
            if (c == QUOTE) {
                boolean doubled = quoted && i + 1 < text.length() && text.charAt(i + 1) == QUOTE;
                if (doubled) {
                    field.append(c);
                    i++;
                } else {
                    quoted = !quoted;
                }
            } else if (c == separator && !quoted) {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        fields.add(field.toString());
        return fields;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
