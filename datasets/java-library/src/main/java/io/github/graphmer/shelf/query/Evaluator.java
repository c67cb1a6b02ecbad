package io.github.graphmer.shelf.query;

import io.github.graphmer.shelf.error.QueryException;
import io.github.graphmer.shelf.error.SchemaException;
import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.util.Text;
import java.util.HashSet;
import java.util.Set;

/** The value of an expression in one row. */
public final class Evaluator implements Expression.Visitor<Value> {
    private final Row row;

    private Evaluator(Row row) {
        this.row = row;
    }

    public static Value evaluate(Expression expression, Row row) {
        return expression.accept(new Evaluator(row));
    }

    /** Whether a condition holds; null counts as false. */
    public static boolean test(Expression condition, Row row) {
        return evaluate(condition, row) == Value.Flag.TRUE;
    }

    @Override
    public Value visitColumn(Expression.ColumnRef column) {
        try {
            return row.get(column.name());
        } catch (SchemaException e) {
            throw new QueryException(e.getMessage(), e);
        }
    }

    @Override
    public Value visitConstant(Expression.Constant constant) {
        return constant.value();
    }

    @Override
    public Value visitComparison(Expression.Comparison comparison) {
        Value left = comparison.left().accept(this);
        Value right = comparison.right().accept(this);
        if (left.isNull() || right.isNull()) {
            return Value.Flag.FALSE;
        }
        return Value.Flag.of(comparison.operator().holds(left.compareTo(right)));
    }

    @Override
    public Value visitLogic(Expression.Logic logic) {
        Value left = logic.left().accept(this);
        boolean decided = switch (logic.connective()) {
            case AND -> left != Value.Flag.TRUE;
            case OR -> left == Value.Flag.TRUE;
        };
        return decided ? left : logic.right().accept(this);
    }

    @Override
    public Value visitNot(Expression.Not not) {
        Value inner = not.inner().accept(this);
        return inner instanceof Value.Flag flag ? flag.negate() : Value.NULL;
    }

    @Override
    public Value visitArithmetic(Expression.Arithmetic arithmetic) {
        Value left = arithmetic.left().accept(this);
        Value right = arithmetic.right().accept(this);
        if (left.isNull() || right.isNull()) {
            return Value.NULL;
        }
        return Value.of(arithmetic.operator().apply(left.number(), right.number()));
    }

    @Override
    public Value visitMatch(Expression.Match match) {
        Set<String> words = new HashSet<>(Text.words(visitColumn(match.column()).text()));
        return Value.Flag.of(Text.words(match.phrase()).stream().allMatch(wanted -> anyStartsWith(words, wanted)));
    }

    private static boolean anyStartsWith(Set<String> words, String beginning) {
        return words.contains(beginning) || words.stream().anyMatch(word -> word.startsWith(beginning));
    }
}
