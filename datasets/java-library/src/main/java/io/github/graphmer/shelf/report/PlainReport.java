package io.github.graphmer.shelf.report;

import static io.github.graphmer.shelf.util.Text.padRight;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;

/** Columns separated by two blanks, for a terminal. */
public class PlainReport extends Report {
    @Override
    protected void header(StringBuilder out, Schema schema, int[] widths) {
        for (int i = 0; i < widths.length; i++) {
            out.append(padRight(schema.column(i).name(), widths[i])).append("  ");
        }
        out.append('\n');
    }

    @Override
    protected void line(StringBuilder out, Row row, int[] widths) {
        for (int i = 0; i < widths.length; i++) {
            out.append(cell(row.get(i), widths[i])).append("  ");
        }
        out.append('\n');
    }

    @Override
    protected void footer(StringBuilder out, int rows, int[] widths) {
        out.append(rows).append(rows == 1 ? " row\n" : " rows\n");
    }
}
