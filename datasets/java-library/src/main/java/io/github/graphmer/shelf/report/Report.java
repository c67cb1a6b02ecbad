package io.github.graphmer.shelf.report;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.plan.Plan;
import io.github.graphmer.shelf.util.Text;
import java.util.List;

/** A result as text for people. The outline is fixed here, the look is the subclass's. */
public abstract class Report {
    private static final int WIDEST = 40;

    /** Renders the rows of a plan. */
    public final String render(Plan plan) {
        return render(plan.schema(), plan.rows());
    }

    public final String render(Schema schema, List<Row> rows) {
        int[] widths = widths(schema, rows);
        StringBuilder out = new StringBuilder();
        header(out, schema, widths);
        for (Row row : rows) {
            line(out, row, widths);
        }
        footer(out, rows.size(), widths);
        return out.toString();
    }

    protected abstract void header(StringBuilder out, Schema schema, int[] widths);

    protected abstract void line(StringBuilder out, Row row, int[] widths);

    protected void footer(StringBuilder out, int rows, int[] widths) {
    }

    /** Text stands on the left, numbers on the right. */
    protected String cell(Value value, int width) {
        String text = Text.shorten(value.text(), width);
        return value.isNumber() ? Text.padLeft(text, width) : Text.padRight(text, width);
    }

    private static int[] widths(Schema schema, List<Row> rows) {
        int[] widths = new int[schema.size()];
        for (int i = 0; i < widths.length; i++) {
            widths[i] = schema.column(i).name().length();
            for (Row row : rows) {
                widths[i] = Math.max(widths[i], row.get(i).text().length());
            }
            widths[i] = Math.min(widths[i], WIDEST);
        }
        return widths;
    }
}
