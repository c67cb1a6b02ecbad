package io.github.graphmer.shelf.query;

import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.util.Text;

/** Writes expressions the way the parser reads them. */
public class Printer implements Expression.Visitor<String> {
    public static String print(Expression expression) {
        return expression.accept(new Printer());
    }

    @Override
    public String visitColumn(Expression.ColumnRef column) {
        return column.name();
    }

    @Override
    public String visitConstant(Expression.Constant constant) {
        Value value = constant.value();
        return value instanceof Value.Text || value instanceof Value.Day ? Text.quote(value.text()) : value.toString();
    }

    @Override
    public String visitComparison(Expression.Comparison comparison) {
        return infix(comparison.left(), comparison.operator().symbol(), comparison.right());
    }

    @Override
    public String visitLogic(Expression.Logic logic) {
        return "(" + infix(logic.left(), logic.connective().name().toLowerCase(), logic.right()) + ")";
    }

    @Override
    public String visitNot(Expression.Not not) {
        return "not " + not.inner().accept(this);
    }

    @Override
    public String visitArithmetic(Expression.Arithmetic arithmetic) {
        return "(" + infix(arithmetic.left(), String.valueOf(arithmetic.operator().symbol()), arithmetic.right()) + ")";
    }

    @Override
    public String visitMatch(Expression.Match match) {
        return match.column().accept(this) + " matches " + Text.quote(match.phrase());
    }

    private String infix(Expression left, String symbol, Expression right) {
        return left.accept(this) + " " + symbol + " " + right.accept(this);
    }
}
