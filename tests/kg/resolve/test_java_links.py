"""One small case for each way in which a Java name finds what it means."""

from __future__ import annotations

import pytest

from tests.kg.languages.java_case import Case


def calls(*sources: str) -> set[tuple[str, str | None]]:
    return Case(*sources).triples("calls")


def test_imports_of_every_form() -> None:
    case = Case(
        "package a; public class A { public static int K; public static void s() { } public static "
        "class N { } }",
        "package b; public class B { public void m() { } }",
        "package c; import a.A; import b.*; import a.A.N; import static a.A.s; import java.util.Map.Entry;"
        "import org.lib.Thing; import static a.A.*;"
        "class F2 { N n; Entry e; Thing t; void f(B x) { s(); x.m(); t.go(); A.s(); int k = K; } }",
    )
    assert case.objects("imports", "F2#") == {
        "A#", "", "A#N#", "A#s().", "java.util.Map.Entry", "org.lib.Thing"
    }  # fmt: skip
    assert case.objects("calls", "F2#f(B).") == {"A#s().", "B#m().", "org.lib.Thing.go"}
    assert case.objects("reads", "F2#f(B).") == {"A#K.", "F2#t."}
    assert case.objects("hasType", "F2#n.") == {"A#N#"}
    assert case.objects("hasType", "F2#e.") == {"java.util.Map.Entry"}


def test_same_package_and_java_lang_need_no_import() -> None:
    case = Case("package a; class A { B b; String s; Integer i; int p; }", "package a; class B { }")
    assert case.triples("hasType") == {
        ("A#b.", "B#"), ("A#s.", "java.lang.String"), ("A#i.", "java.lang.Integer"), ("A#p.", "int")
    }  # fmt: skip


def test_same_name_in_two_packages() -> None:
    case = Case(
        "package a; public class X { public void m() { } }",
        "package b; public class X { public void m() { } }",
        "package c; class U { void f(a.X one, b.X two) { one.m(); two.m(); } }",
    )
    targets = [r.target for linked in case.linked for r in linked.occurrences if r.relation == "calls"]
    assert [target.split("#")[0][-2:] for target in targets if target] == ["/a", "/b"]


def test_nested_types_also_inherited_ones() -> None:
    case = Case("class A { class N { void n() { } } } class B extends A { N x; void f() { x.n(); } A.N y; }")
    assert case.objects("hasType", "B#x.") == {"A#N#"}
    assert case.objects("hasType", "B#y.") == {"A#N#"}
    assert case.objects("calls", "B#f().") == {"A#N#n()."}


def test_private_and_distant_members_are_not_inherited() -> None:
    case = Case(
        "package a; public class A { private static class N { } static class P { } private int f; int g; }"
        "class B extends A { class N { N n; } void m() { int x = f + g; } class O { int f; "
        "class I extends A { int y = f; } } }",
        "package b; public class C extends a.A { class P { P p; } }",
        "package c; import b.*; import java.util.*; class D extends E { Entry e; } class Entry { }"
        "class E implements Map { private class Entry { } }",
        "package b; class Entry { }",
    )
    assert case.objects("hasType", "B#N#n.") == {"B#N#"}
    assert case.objects("hasType", "C#P#p.") == {"C#P#"}
    assert case.objects("hasType", "D#e.") == {"Entry#"}
    assert case.objects("reads", "B#m().") == {"A#g."}
    assert case.objects("reads", "B#O#I#<initializer>().") == {"B#O#f."}


def test_star_imports_bring_visible_types_only() -> None:
    case = Case(
        "package a; class F { }",
        "package b; public class F { }",
        "package c; import a.*; import b.*; class U { F f; }",
    )
    (target,) = {r.target for r in case.linked[2].occurrences if r.relation == "hasType"}
    assert target is not None
    assert "/b#" in target


def test_methods_of_superclasses_interfaces_and_outer_classes() -> None:
    assert calls(
        "interface I { default void d() { } } class S implements I { void s() { } }"
        "class C extends S { void f() { s(); d(); super.s(); this.d(); }"
        "  class In { void g() { s(); f(); C.this.s(); } } void h() { I.super.toString(); } }"
    ) >= {
        ("C#f().", "S#s()."), ("C#f().", "I#d()."), ("C#In#g().", "S#s()."), ("C#In#g().", "C#f().")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("argument", "target"),
    [
        ("1", "A#m(int)."),
        ("1L", "A#m(long)."),
        ("'c'", "A#m(int)."),
        ("1.5f", "A#m(Object)."),
        ('"s"', "A#m(String)."),
        ('"a" + 1', "A#m(String)."),
        ("new A()", "A#m(A)."),
        ("new B()", "A#m(A)."),
        ("(Object) new B()", "A#m(Object)."),
        ("new int[0]", "A#m(int...)."),
        ("true ? new B() : new A()", "A#m(A)."),
        ("this.field", "A#m(String)."),
        ("make()", "A#m(A)."),
        ("array[0]", "A#m(String)."),
        ("array.length", "A#m(int)."),
        ("1, 2, 3", "A#m(int...)."),
        ("switch (1) { case 1 -> new B(); default -> new A(); }", "A#m(A)."),
        ("!true", "A#m(boolean)."),
        ("Integer.valueOf(1)", "A#m(Object)."),
    ],
)
def test_overloads_by_static_types(argument: str, target: str) -> None:
    overloads = ["int", "long", "String", "A", "Object", "boolean"]
    methods = " ".join(f"void m({each} x) {{ }}" for each in overloads) + " void m(int... x) { }"
    fields = "String field; String[] array; B make() { return null; }"
    case = Case(f"class A {{ {fields} {methods} void f() {{ m({argument}); }} }}", "class B extends A { }")
    found = [row for row in case.rows if row.relation == "calls" and (row.target or "").startswith("A#m(")]
    assert [(row.target, row.how) for row in found] == [(target, "exact")]


def test_boxing_and_variable_arity_come_last() -> None:
    source = "class A { void m(Object o) { } void m(int... x) { } void n(Integer i) { } void n(String s) { }"
    assert calls(source + " void f() { m(1); n(1); } }") == {
        ("A#f().", "A#m(Object)."), ("A#f().", "A#n(Integer).")
    }  # fmt: skip


def test_variables_of_every_kind() -> None:
    case = Case(
        "import java.util.List; class R implements AutoCloseable { void go() { } public void close() { } "
        " static R open() { return null; } }",
        "import java.util.*; class A { void f(R p, List<R> all, R[] many, Object o) throws X {"
        " R local = p; local.go(); var v = R.open(); v.go(); for (R e : all) e.go(); for (var e : all) "
        "{ e.go(); }"
        " for (var e : many) e.go(); try (R r = R.open()) { r.go(); } catch (X x) { x.why(); }"
        " if (o instanceof R r && true) r.go(); } }",
        "class X extends Exception { void why() { } }",
    )
    goes = [row for row in case.rows if row.target == "R#go()."]
    assert len(goes) == 7
    assert {row.how for row in goes} == {"exact"}
    assert ("A#f(R,List,R[],Object).", "X#why().") in case.triples("calls")
    assert case.objects("catches", "A#f(R,List,R[],Object).") == {"X#"}
    assert case.objects("declaresThrown", "A#f(R,List,R[],Object).") == {"X#"}
    assert case.unresolved() == []


def test_generic_classes_and_methods() -> None:
    case = Case(
        "class Box<T extends Item> { T value; T get() { return value; } <R> Box2<R> to(R r) { return null; }"
        " void f() { value.use(); get().use(); } }"
        "class Box2<S> { S get() { return null; } } class Item { void use() { } } class Sub extends Item { }"
        "class Named extends Box<Sub> { void h() { get().use(); value.own(); } }",
        "class A { void g(Box<Item> b) { b.get().use(); b.value.use(); b.to(new Item()).get().use(); } }",
    )
    assert case.objects("calls", "A#g(Box).") >= {"Box#get().", "Item#use().", "Box2#get()."}
    uses = [row for row in case.rows if row.target == "Item#use()."]
    assert [(row.subject, row.how) for row in uses] == [
        ("Box#f().", "exact"), ("Box#f().", "exact"), ("Named#h().", "exact"), ("A#g(Box).", "exact"),
        ("A#g(Box).", "exact"), ("A#g(Box).", "inferred"),
    ]  # fmt: skip
    assert case.unresolved() == ["own"]


def test_lambdas_take_their_types_from_the_interface_that_is_wanted() -> None:
    case = Case(
        "interface Fn<X, Y> { Y apply(X x); } class Item { Item next() { return null; } }"
        "class A { <P, Q> Q run(P p, Fn<? super P, ? extends Q> fn) { return null; }"
        " void f() { run(new Item(), x -> x.next()).next(); Fn<Item, Item> g = y -> { return y.next(); };"
        " run(new Item(), Item::next).next(); } Fn<Item, Item> h = z -> z.next(); }"
    )
    assert case.triples("calls") >= {
        ("A#f().<lambda1>().", "Item#next()."), ("A#f().<lambda2>().", "Item#next()."),
        ("A#<initializer>().<lambda1>().", "Item#next()."), ("A#f().", "Item#next()."),
    }  # fmt: skip
    assert case.objects("refersTo", "A#f().") == {"Item#next()."}
    assert case.unresolved() == []


def test_streams_of_the_library() -> None:
    case = Case(
        "import java.util.*; import java.util.stream.*; class P { String name() { return null; } "
        "boolean ok() { return true; }"
        " static void f(List<P> ps) { ps.stream().filter(p -> p.ok()).map(P::name).map(n -> n.length())"
        ".collect(Collectors.toList()); } }"
    )
    assert case.unresolved() == []
    assert ("P#f(List).<lambda1>().", "P#ok().") in case.triples("calls")
    assert ("P#f(List).<lambda2>().", "java.lang.String.length") in case.triples("calls")
    assert case.objects("refersTo", "P#f(List).") == {"P#name()."}


def test_constructors() -> None:
    case = Case(
        "class S { S(int i) { } } class C extends S { C() { this(1); } C(int i) { super(i); } }"
        "class D { void f() { new C(); new C(2); new D(); new S(3) { }; new "
        "java.util.ArrayList<String>(); } }"
        "class O { class In { In(int x) { } } void g(O o) { o.new In(1); } }"
    )
    assert case.objects("instantiates", "D#f().") == {"C#", "D#", "D#$1#", "java.util.ArrayList"}
    assert case.objects("calls", "D#f().") == {"C#<init>().", "C#<init>(int).", "S#<init>(int)."}
    assert case.objects("calls", "C#<init>().") == {"C#<init>(int)."}
    assert case.objects("calls", "C#<init>(int).") == {"S#<init>(int)."}
    assert case.objects("extends", "D#$1#") == {"S#"}
    assert case.objects("calls", "O#g(O).") == {"O#In#<init>(int)."}


def test_enums_and_records() -> None:
    case = Case(
        "enum E { A(1) { int v() { return 2; } }, B(2); final int n; E(int n) { this.n = n; } int v() { "
        "return n; }"
        " static void f(E e) { switch (e) { case A: break; default: } for (E x : E.values()) x.v();"
        ' valueOf("A").v();'
        " e.name(); } }"
        "record R(int a, E e) { R { if (a < 0) throw new IllegalArgumentException(); } void g(R o) { "
        "o.e().v(); } }"
    )
    assert case.objects("instantiates", "E#<clinit>().") == {"E#"}
    assert case.objects("calls", "E#<clinit>().") == {"E#<init>(int)."}
    assert case.objects("extends", "E#$1#") == {"E#"}
    assert ("E#$1#v().", "E#v().") in case.triples("overrides")
    assert case.objects("reads", "E#f(E).") == {"E#A."}
    assert case.objects("calls", "E#f(E).") == {"E#v().", "E#$1#v().", "java.lang.Enum.name"}
    assert case.objects("writes", "E#<init>(int).") == {"E#n."}
    assert case.objects("reads", "R#g(R).") == {"R#e."}  # the accessor that nobody wrote
    assert case.objects("raises", "R#<init>(int,E).") == {"java.lang.IllegalArgumentException"}
    assert case.objects("hasType", "R#<init>(int,E).(e)") == {"E#"}


def test_overrides_are_the_nearest_with_the_same_erased_parameters() -> None:
    case = Case(
        "interface I<T> { void m(T t); } interface J { void m(String s); }"
        "abstract class A implements I<String> { public void m(String s) { } void n(int i) { } private "
        "void p() { }"
        " static void q() { } }"
        "class B extends A implements J { public void m(String s) { } void n(long i) { } void p() { }"
        " static void q() { } public String toString() { return null; } }"
    )
    assert case.triples("overrides") == {
        ("A#m(String).", "I#m(T)."), ("B#m(String).", "A#m(String)."), ("B#m(String).", "J#m(String).")
    }  # fmt: skip


def test_enums_and_records_inherit_what_nobody_writes_where_the_corpus_has_it() -> None:
    case = Case(
        "package java.lang; public abstract class Enum<E> { public String toString() { return null; } }",
        "package java.lang; public abstract class Record { public abstract String toString(); }",
        "package p; enum E { A; public String toString() { return null; } }",
        "package p; record R(int a) { public String toString() { return null; } }",
    )
    assert case.objects("extends", "E#") == {"Enum#"}
    assert case.objects("extends", "R#") == {"Record#"}
    assert case.triples("overrides") == {
        ("E#toString().", "Enum#toString()."), ("R#toString().", "Record#toString().")
    }  # fmt: skip
    assert Case("enum E { A }").objects("extends", "E#") == set()


def test_reads_and_writes() -> None:
    case = Case(
        "class A { int x; static int S; A a; void f(int p) { x = 1; x++; x += p; a.x = S; int x = 2; x "
        "= 3; this.x = x; }"
        " int y = 5; A b = new A(); }"
    )
    rows = [(row.relation, row.target) for row in case.rows if row.subject == "A#f(int)." and row.relation]
    assert rows == [
        ("writes", "A#x."), ("reads", "A#x."), ("writes", "A#x."), ("reads", "A#x."), ("writes", "A#x."),
        ("reads", "A#a."), ("writes", "A#x."), ("reads", "A#S."), ("writes", "A#x."),
    ]  # fmt: skip
    assert case.objects("writes", "A#<initializer>().") == {"A#b."}
    parameters = [row for row in case.rows if row.target == "A#f(int).(p)"]
    assert [(row.role, row.relation) for row in parameters] == [("read", None)]


def test_raises_catches_and_annotations() -> None:
    case = Case(
        "@interface N { int v() default 0; } class X extends Exception { } class Y extends "
        "RuntimeException { }"
        "class A { static final int K = 1; @N(v = K) @Deprecated void f(X given) throws X { try { throw "
        "new Y(); }"
        " catch (Y | IllegalStateException e) { throw given; } } }"
    )
    subject = "A#f(X)."
    assert case.objects("raises", subject) == {"Y#", "X#"}
    assert case.objects("catches", subject) == {"Y#", "java.lang.IllegalStateException"}
    assert case.objects("annotatedWith", subject) == {"N#", "java.lang.Deprecated"}
    assert case.objects("reads", subject) == set()  # nobody runs an annotation


def test_local_and_anonymous_classes_see_their_surroundings() -> None:
    assert calls(
        "class A { void m() { } void f(B b) { class L { void g() { b.go(); m(); } } new L().g();"
        " Runnable r = new Runnable() { public void run() { b.go(); help(); } void help() { } }; r.run(); } }"
        "class B { void go() { } }"
    ) == {
        ("A#f(B).L#g().", "B#go()."), ("A#f(B).L#g().", "A#m()."), ("A#f(B).", "A#f(B).L#g()."),
        ("A#$1#run().", "B#go()."), ("A#$1#run().", "A#$1#help()."), ("A#f(B).", "A#$1#run()."),
    }  # fmt: skip


def test_what_comes_from_outside() -> None:
    case = Case(
        "import org.lib.Base; import java.util.*; class A extends Base { List<String> names = new "
        "ArrayList<>();"
        ' void f() { inherited(); names.add(""); names.get(0).length(); org.lib.Other.call(); "s".trim(); } }'
        "class M extends ArrayList<A> { void g() { add(null); get(0).f(); hashCode(); } }"
    )
    assert case.objects("calls", "A#f().") == {
        "org.lib.Base.inherited", "java.util.List.add", "java.util.List.get", "java.lang.String.length",
        "org.lib.Other.call", "java.lang.String.trim",
    }  # fmt: skip
    assert case.objects("calls", "M#g().") == {
        "java.util.ArrayList.add", "java.util.ArrayList.get", "A#f().", "java.util.ArrayList.hashCode"
    }  # fmt: skip
    (inherited,) = [row for row in case.rows if row.target == "org.lib.Base.inherited"]
    assert inherited.how == "inferred"


def test_what_is_not_known_stays_unresolved() -> None:
    case = Case(
        "class A { Missing m; void f() { m.go(); nowhere(); String s = unknown; a.b.c(); this.nope(1); "
        "} void nope() { } }"
    )
    assert set(case.unresolved()) == {"Missing", "go", "nowhere", "unknown", "b", "c", "nope"}
    assert case.triples("calls") == set()


def test_results_do_not_depend_on_the_order_of_files() -> None:
    sources = [
        "package p; class A extends B { void f() { g(); h(); } }",
        "package p; class B extends C { void g() { } }",
        "package p; class C { void h() { } }",
    ]
    expected = {("A#f().", "B#g()."), ("A#f().", "C#h().")}
    assert calls(*sources) == calls(*reversed(sources)) == expected
