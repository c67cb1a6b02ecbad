package io.github.graphmer.shelf.io;

/** Tab-separated values: nothing is quoted, tabs and line ends become blanks. */
public final class TsvWriter extends CsvWriter {
    public TsvWriter(Appendable out) {
        super(out, '\t');
    }

    @Override
    protected String escape(String text) {
        return text.replace('\t', ' ').replace('\n', ' ');
    }
}
