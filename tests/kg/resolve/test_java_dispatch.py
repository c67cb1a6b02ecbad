"""Which methods a virtual call may run."""

from __future__ import annotations

from tests.kg.languages.java_case import Case


def called(source: str, subject: str) -> dict[str | None, str]:
    """Targets of the calls of one method, with how they were found."""
    rows = Case(source).rows
    return {r.target: r.how for r in rows if r.relation == "calls" and r.subject == subject}


HIERARCHY = (
    "interface I { void go(); } class A implements I { public void go() { } }"
    " class B extends A { public void go() { } } class C extends A { } class Other { public void go() { } }"
)


def test_a_call_through_a_supertype_may_run_every_override_below_it() -> None:
    found = called(f"{HIERARCHY} class T {{ void f(I i) {{ i.go(); }} }}", "T#f(I).")
    assert found == {"I#go().": "exact", "A#go().": "heuristic", "B#go().": "heuristic"}


def test_the_static_type_bounds_what_may_run() -> None:
    assert called(f"{HIERARCHY} class T {{ void f(B b) {{ b.go(); }} }}", "T#f(B).") == {"B#go().": "exact"}
    assert called(f"{HIERARCHY} class T {{ void f(A a) {{ a.go(); }} }}", "T#f(A).") == {
        "A#go().": "exact",
        "B#go().": "heuristic",
    }


def test_a_sole_implementation_is_inferred() -> None:
    source = "interface I { void go(); } class A implements I { public void go() { } }"
    found = called(f"{source} class T {{ void f(I i) {{ i.go(); }} }}", "T#f(I).")
    assert found == {"I#go().": "exact", "A#go().": "inferred"}


def test_an_object_made_here_runs_the_method_of_its_class() -> None:
    source = f"{HIERARCHY} class T {{ void f() {{ I i = new C(); i.go(); }} }}"
    assert called(source, "T#f().") == {"A#go().": "inferred"}
    again = f"{HIERARCHY} class T {{ I j; void f() {{ I i = new C(); i = j; i.go(); }} }}"
    assert "B#go()." in called(again, "T#f().")


def test_a_superclass_wins_over_a_default_method() -> None:
    source = (
        "interface I { default void go() { } } class S { public void go() { } }"
        " class C extends S implements I { }"
        " class T { void f() { I i = new C(); i.go(); } void g(I i) { i.go(); } }"
    )
    assert called(source, "T#f().") == {"S#go().": "inferred"}
    assert called(source, "T#g(I).") == {"I#go().": "exact", "S#go().": "heuristic"}


def test_super_static_and_private_calls_are_bound() -> None:
    source = (
        "class A { void go() { } static void s() { } private void p() { } void f() { s(); p(); } }"
        " class B extends A { void go() { super.go(); } static void s() { } }"
        " class C extends B { void go() { } }"
    )
    assert called(source, "A#f().") == {"A#s().": "exact", "A#p().": "exact"}
    assert called(source, "B#go().") == {"A#go().": "exact"}


def test_anonymous_classes_are_among_what_may_run() -> None:
    source = (
        "interface I { void go(); } class T { void f(I i) { i.go(); }"
        " I a = new I() { public void go() { } }; I b = new I() { public void go() { } }; }"
    )
    assert set(called(source, "T#f(I).").values()) == {"exact", "heuristic"}
    assert len(called(source, "T#f(I).")) == 3


def test_a_call_that_may_run_anything_names_only_its_own_method() -> None:
    classes = " ".join(f"class C{n} {{ public String toString() {{ return null; }} }}" for n in range(9))
    found = called(f"{classes} class T {{ void f(Object o) {{ o.toString(); }} }}", "T#f(Object).")
    assert found == {"java.lang.Object.toString": "exact"}


def test_an_interface_without_implementation_meets_methods_of_its_signature() -> None:
    source = (
        "interface I { void go(); } class P { public void go() { } } final class F { public void go() { } }"
        " class O { private O() { } public void go() { } } class Q { void go() { } }"
        " class R { public void go(int n) { } } class T { void f(I i) { i.go(); } }"
    )
    assert called(source, "T#f(I).") == {"I#go().": "exact", "P#go().": "heuristic"}


def test_who_makes_a_function_lets_it_be_called() -> None:
    case = Case(
        "class T { void f() { Runnable r = () -> g(); Runnable q = T::h; r.run(); }"
        " void g() { } static void h() { } }"
    )
    assert {"T#f().<lambda1>().", "T#h()."} <= case.objects("calls", "T#f().")


def test_local_variables_live_in_the_occurrence_table() -> None:
    case = Case("class T { int f(int p) { int x = p; x += 1; int y = x; for (; x; ) { } return x; } }")
    names = case.facts[0].entities
    assert not any(e.name == "x" for e in names)
    rows = [(r.role, r.relation) for r in case.rows if r.target == "T#f(int).x"]
    assert rows == [("write", None), ("read", None), ("write", None), *[("read", None)] * 3]


def test_another_primitive_result_is_no_override() -> None:
    case = Case(
        "class A { int n() { return 1; } A me() { return this; } }"
        " class B extends A { void n() { } B me() { return this; } }"
    )
    assert case.triples("overrides") == {("B#me().", "A#me().")}


def test_asking_for_a_local_class_from_outside_does_not_fix_its_supertypes() -> None:
    case = Case(
        "interface I { void go(); } class A { void f(I i) { i.go(); }"
        " void g(String v) { class T { } new I() { T t; public void go() { T u = t; v.length(); } }; } }"
    )
    assert case.unresolved() == []
    assert case.objects("calls", "A#f(I).") == {"I#go().", "A#$1#go()."}


def test_private_overloads_are_no_candidates_elsewhere() -> None:
    source = (
        "class A { private A(String s) { } A(Object o) { } private void f(int n) { } void f(long n) { } }"
        ' class B { void g(A a) { new A("x"); a.f(1); } }'
    )
    assert called(source, "B#g(A).") == {"A#<init>(Object).": "exact", "A#f(long).": "exact"}


def test_an_array_goes_to_the_variable_arity_parameter_itself() -> None:
    source = (
        "class L<E> { static <T> void of(T e) { } static <T> void of(T a, T b) { }"
        " static <T> void of(T... es) { } void f(Object[] o) { of(o); } void g(String s) { of(s); }"
        " void h(E e) { of(e); } void k() { of(1, 2, 3); } }"
    )
    assert called(source, "L#f(Object[]).") == {"L#of(T...).": "exact"}
    assert called(source, "L#g(String).") == called(source, "L#h(E).") == {"L#of(T).": "exact"}
    assert called(source, "L#k().") == {"L#of(T...).": "exact"}
