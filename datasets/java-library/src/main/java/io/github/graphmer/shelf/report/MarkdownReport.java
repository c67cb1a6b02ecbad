package io.github.graphmer.shelf.report;

import io.github.graphmer.shelf.model.Column;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;

/** A table as Markdown has it. */
public class MarkdownReport extends Report {
    @Override
    protected void header(StringBuilder out, Schema schema, int[] widths) {
        StringBuilder rule = new StringBuilder("|");
        out.append('|');
        for (Column column : schema) {
            out.append(' ').append(column.name()).append(" |");
            rule.append(column.type().isNumeric() ? "---:|" : "---|");
        }
        out.append('\n').append(rule).append('\n');
    }

    @Override
    protected void line(StringBuilder out, Row row, int[] widths) {
        out.append('|');
        for (int i = 0; i < row.size(); i++) {
            out.append(' ').append(cell(row.get(i), widths[i])).append(" |");
        }
        out.append('\n');
    }

    @Override
    protected String cell(Value value, int width) {
        return super.cell(value, width).strip().replace("|", "\\|");
    }
}
