package io.github.graphmer.shelf.parse;

import io.github.graphmer.shelf.error.SyntaxException;
import io.github.graphmer.shelf.query.Aggregate;
import io.github.graphmer.shelf.query.Conditions;
import io.github.graphmer.shelf.query.Expression;
import io.github.graphmer.shelf.query.Operator;
import io.github.graphmer.shelf.query.Query;
import io.github.graphmer.shelf.util.PeekingIterator;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A recursive-descent parser of a small SQL:
 * <pre>
 * select title, count(*) from loan join book on book = id where due &lt; day '2024-01-01' group by title limit 10
 * </pre>
 */
public final class QueryParser {
    private static final Map<String, Function<Expression, Aggregate>> AGGREGATES = Map.of(
            "count", ignored -> Aggregate.count(),
            "sum", Aggregate::sum,
            "avg", Aggregate::average,
            "min", Aggregate::least,
            "max", Aggregate::greatest);

    private final String text;
    private final PeekingIterator<Token> tokens;

    private QueryParser(String text) {
        this.text = text;
        this.tokens = new PeekingIterator<>(new Lexer(text));
    }

    public static Query parse(String text) {
        return new QueryParser(text).query();
    }

    public static Expression parseCondition(String text) {
        QueryParser parser = new QueryParser(text);
        Expression condition = parser.condition();
        parser.expect(Token.Kind.END);
        return Conditions.prepare(condition);
    }

    private Query query() {
        expect("select");
        List<Consumer<Query>> outputs = new ArrayList<>();
        if (!accept("*")) {
            do {
                outputs.add(output());
            } while (accept(","));
        }
        expect("from");
        Query query = Query.from(name());
        outputs.forEach(output -> output.accept(query));
        if (accept("join")) {
            String other = name();
            expect("on");
            String left = name();
            expect("=");
            query.join(other, left, name());
        }
        if (accept("where")) {
            query.where(condition());
        }
        if (accept("group")) {
            expect("by");
            list(query::groupBy);
        }
        if (accept("order")) {
            expect("by");
            list(column -> query.orderBy(column, accept("desc")));
        }
        if (accept("limit")) {
            query.limit(Integer.parseInt(expect(Token.Kind.NUMBER).text()));
        }
        expect(Token.Kind.END);
        return query;
    }

    private void list(Consumer<String> each) {
        do {
            each.accept(name());
        } while (accept(","));
    }

    private Consumer<Query> output() {
        int start = tokens.peek().offset();
        if (tokens.peek().kind() == Token.Kind.WORD && AGGREGATES.containsKey(tokens.peek().text().toLowerCase())) {
            String function = name().toLowerCase();
            expect("(");
            Expression over = accept("*") ? Expression.constant(true) : sum();
            expect(")");
            Aggregate aggregate = AGGREGATES.get(function).apply(over);
            String alias = alias().orElse(function);
            return query -> query.select(alias, aggregate);
        }
        Expression expression = sum();
        Optional<String> alias = alias();
        if (alias.isEmpty() && expression instanceof Expression.ColumnRef column) {
            return query -> query.select(column.name());
        }
        String name = alias.orElseThrow(() -> new SyntaxException(text, start, "an expression needs a name (as ...)"));
        return query -> query.select(name, expression);
    }

    private Optional<String> alias() {
        return accept("as") ? Optional.of(name()) : Optional.empty();
    }

    private Expression condition() {
        Expression left = conjunction();
        while (accept("or")) {
            left = left.or(conjunction());
        }
        return left;
    }

    private Expression conjunction() {
        Expression left = negation();
        while (accept("and")) {
            left = left.and(negation());
        }
        return left;
    }

    private Expression negation() {
        return accept("not") ? negation().not() : comparison();
    }

    private Expression comparison() {
        Expression left = sum();
        if (accept("matches")) {
            if (left instanceof Expression.ColumnRef column) {
                return column.matches(expect(Token.Kind.STRING).text());
            }
            throw fail("only a column can match a phrase");
        }
        for (Expression.Comparator operator : Expression.Comparator.values()) {
            if (accept(operator.symbol())) {
                return new Expression.Comparison(operator, left, sum());
            }
        }
        return left;
    }

    private Expression sum() {
        Expression left = product();
        for (;;) {
            Optional<Token> sign = tokens.nextIf(token -> token.is("+") || token.is("-"));
            if (sign.isEmpty()) {
                return left;
            }
            left = new Expression.Arithmetic(Operator.of(sign.get().text().charAt(0)), left, product());
        }
    }

    private Expression product() {
        Expression left = primary();
        for (;;) {
            Optional<Token> sign = tokens.nextIf(token -> token.is("*") || token.is("/"));
            if (sign.isEmpty()) {
                return left;
            }
            left = new Expression.Arithmetic(Operator.of(sign.get().text().charAt(0)), left, primary());
        }
    }

    private Expression primary() {
        if (accept("(")) {
            Expression inner = condition();
            expect(")");
            return inner;
        }
        if (accept("day")) {
            return Expression.constant(LocalDate.parse(expect(Token.Kind.STRING).text()));
        }
        Token token = tokens.next();
        return switch (token.kind()) {
            case STRING -> Expression.constant(token.text());
            case NUMBER -> Expression.constant(new BigDecimal(token.text()));
            case WORD -> word(token);
            default -> throw new SyntaxException(text, token.offset(), "expected a value");
        };
    }

    private static Expression word(Token token) {
        if (token.is("true") || token.is("false")) {
            return Expression.constant(Boolean.valueOf(token.text()));
        }
        return token.is("null") ? Expression.constant(null) : Expression.column(token.text());
    }

    private boolean accept(String expected) {
        return tokens.nextIf(token -> token.is(expected)).isPresent();
    }

    private void expect(String expected) {
        if (!accept(expected)) {
            throw fail("expected '" + expected + "'");
        }
    }

    private Token expect(Token.Kind kind) {
        return tokens.nextIf(token -> token.kind() == kind).orElseThrow(() -> fail("expected " + kind));
    }

    private String name() {
        return expect(Token.Kind.WORD).text();
    }

    private SyntaxException fail(String message) {
        return new SyntaxException(text, tokens.hasNext() ? tokens.peek().offset() : text.length(), message);
    }
}
