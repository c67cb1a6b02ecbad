package io.github.graphmer.shelf.io;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import java.io.IOException;

/** An array of objects, one a line. */
public class JsonWriter extends RowWriter {
    private static final String HEX = "0123456789abcdef";
    private Schema schema;

    public JsonWriter(Appendable out) {
        super(out);
    }

    @Override
    protected void begin(Schema schema) throws IOException {
        this.schema = schema;
        out.append('[');
    }

    @Override
    protected void write(Row row, int number) throws IOException {
        out.append(number == 0 ? "\n  {" : ",\n  {");
        for (int i = 0; i < row.size(); i++) {
            out.append(i == 0 ? "" : ", ");
            string(schema.column(i).name());
            out.append(": ");
            value(row.get(i));
        }
        out.append('}');
    }

    @Override
    protected void end() throws IOException {
        out.append("\n]\n");
    }

    private void value(Value value) throws IOException {
        switch (value.type()) {
            case NOTHING -> out.append("null");
            case WHOLE, DECIMAL, FLAG -> out.append(value.text());
            default -> string(value.text());
        }
    }

    private void string(String text) throws IOException {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append("\\u00").append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
