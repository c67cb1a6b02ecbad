package io.github.graphmer.shelf.query;

/** Conditions on the way into the planner. */
public final class Conditions {
    private Conditions() {
    }

    public static Expression prepare(Expression condition) {
        return Simplifier.simplify(condition);
    }

    public static Expression all(Expression... conditions) {
        Expression result = Expression.Constant.TRUE;
        for (Expression condition : conditions) {
            result = result.and(condition);
        }
        return prepare(result);
    }

    public static Expression any(Expression... conditions) {
        Expression result = Expression.Constant.FALSE;
        for (Expression condition : conditions) {
            result = result.or(condition);
        }
        return prepare(result);
    }
}
