package io.github.graphmer.shelf.query;

import io.github.graphmer.shelf.model.Row;
import io.github.graphmer.shelf.model.Schema;
import io.github.graphmer.shelf.model.Value;
import io.github.graphmer.shelf.model.ValueType;
import java.util.List;

/** Rewrites an expression into an equal one that is cheaper: constants are folded, columns stand on the left. */
final class Simplifier implements Expression.Visitor<Expression> {
    private static final Row NO_ROW =
            Row.computed(Schema.builder().add("nothing", ValueType.NOTHING).build(), List.of(Value.NULL));

    static Expression simplify(Expression expression) {
        return expression.accept(new Simplifier());
    }

    @Override
    public Expression visitColumn(Expression.ColumnRef column) {
        return column;
    }

    @Override
    public Expression visitConstant(Expression.Constant constant) {
        return constant;
    }

    @Override
    public Expression visitComparison(Expression.Comparison comparison) {
        Expression left = comparison.left().accept(this);
        Expression right = comparison.right().accept(this);
        Expression.Comparison simple = new Expression.Comparison(comparison.operator(), left, right);
        if (left instanceof Expression.Constant) {
            return right instanceof Expression.Constant ? fold(simple) : simple.flip();
        }
        return simple;
    }

    @Override
    public Expression visitLogic(Expression.Logic logic) {
        Expression left = logic.left().accept(this);
        Expression right = logic.right().accept(this);
        Expression neutral = logic.connective() == Expression.Connective.AND
                ? Expression.Constant.TRUE
                : Expression.Constant.FALSE;
        if (left.equals(neutral)) {
            return right;
        }
        if (right.equals(neutral)) {
            return left;
        }
        if (left instanceof Expression.Constant) {
            return left;
        }
        return new Expression.Logic(logic.connective(), left, right);
    }

    @Override
    public Expression visitNot(Expression.Not not) {
        return not.inner().accept(this).not();
    }

    @Override
    public Expression visitArithmetic(Expression.Arithmetic arithmetic) {
        Expression left = arithmetic.left().accept(this);
        Expression right = arithmetic.right().accept(this);
        Expression.Arithmetic simple = new Expression.Arithmetic(arithmetic.operator(), left, right);
        boolean constant = left instanceof Expression.Constant && right instanceof Expression.Constant;
        return constant ? fold(simple) : simple;
    }

    @Override
    public Expression visitMatch(Expression.Match match) {
        return match.phrase().isBlank() ? Expression.Constant.TRUE : match;
    }

    private static Expression fold(Expression expression) {
        return new Expression.Constant(Evaluator.evaluate(expression, NO_ROW));
    }
}
