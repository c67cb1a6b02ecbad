"""The scorers, on cases made by hand: they must see what is missing and what is too much."""

import json

import pytest

from benchmarks import kg_truth
from benchmarks.truth import jcg_python, pycg, stackgraphs, typeevalpy
from benchmarks.truth.case import Outcome, facts_of, read_cases, summarise
from graphmer_geo.errors import UserError

CALLS = {
    "main.py": "from pack import Thing\ndef twice(f):\n    f()\n    return lambda: print(1)\ntwice(Thing)\n",
    "pack/__init__.py": "class Thing:\n    def __init__(self):\n        pass\n\n\nThing()\n",
}
TRUE_CALLS = [
    ["main", "main.twice"],
    ["main.twice", "pack.Thing.__init__"],
    ["main.twice.<lambda1>", "<builtin>.print"],
    ["pack.__init__", "pack.Thing.__init__"],
]


def case(**fields):
    return {"id": "x", "category": "c", "suite": "s", **fields}


def test_pycg_scores_every_edge():
    facts, _ = facts_of(CALLS, "python")
    (right,) = pycg.score(case(edges=TRUE_CALLS), facts)
    assert (right.expected, right.missing, right.reported, right.extra) == (4, (), 4, ())
    (wrong,) = pycg.score(case(edges=[*TRUE_CALLS[1:], ["main", "main.other"]]), facts)
    assert wrong.missing == ("main -> main.other",)
    assert wrong.extra == ("main -> main.twice",)


def test_a_case_with_an_init_file_at_its_root_has_no_prefix():
    facts, _ = facts_of({"__init__.py": "", "a.py": "def f():\n    pass\n\n\nf()\n"}, "python")
    (outcome,) = pycg.score(case(edges=[["a", "a.f"]]), facts)
    assert (outcome.missing, outcome.extra) == ((), ())


def test_jcg_names_by_line_and_class():
    classes = "class A:\n    def f(self): pass\nclass B(A):\n    def f(self):\n        super().f()\n"
    text = classes + "B().f()\nlist(map(len, [lambda: 1]))\n"
    facts, _ = facts_of({"m/X.py": text}, "python")
    found = [["X.f:4", "X.f:2"], ["X.B.f", "X.A.f"], ["<global>", "X.f:4"], ["<global>", "Native.map"]]
    wrong = [["X.f:2", "X.f:4"], ["<global>", "X.<anonymous:7>"]]
    (outcome,) = jcg_python.score(case(edges=found + wrong, indirect_targets=["X.f", "X.g"]), facts)
    assert outcome.expected == 8
    assert outcome.missing == ("X.f:2 -> X.f:4", "<global> -> X.<anonymous:7>", "? -> X.g")


def test_stackgraphs_wants_exactly_these_lines():
    text = "#--- path: a.py ---#\nx = 1\n#--- path: b.py ---#\nfrom a import x\nprint(x, y)\n"
    assertions = [
        {"line": 5, "col": 6, "text": "x", "expect": [2, 4]},
        {"line": 5, "col": 9, "text": "y", "expect": []},
        {"line": 5, "col": 6, "text": "x", "expect": [2]},
    ]
    fragments = [{"path": "a.py", "header_line": 1}, {"path": "b.py", "header_line": 3}]
    truth = case(text=text, file="t.py", fragments=fragments, assertions=assertions)
    files = stackgraphs.case_files(truth)
    assert files == {"a.py": "x = 1\n", "b.py": "from a import x\nprint(x, y)\n"}
    outcomes = stackgraphs.score(truth, facts_of(files, "python")[0])
    assert [bool(o.missing) for o in outcomes] == [False, False, True]


def test_typeevalpy_compares_sets_of_types():
    text = "def f(x: int) -> str:\n    return ''\n"
    facts, _ = facts_of({"main.py": text}, "python")
    place = {"file": "main.py", "line_number": 1, "function": "f"}
    annotations = [
        {**place, "type": ["str"]},
        {**place, "type": ["int"], "parameter": "x"},
        {**place, "type": ["str", "int"]},
        {"file": "main.py", "line_number": 2, "variable": "d['a']", "type": ["int"]},
    ]
    outcomes = typeevalpy.score(case(annotations=annotations), facts)
    assert [bool(o.missing) for o in outcomes] == [False, False, True, True]
    assert [o.part for o in outcomes] == ["results", "parameters", "results", "elements"]


def test_typeevalpy_variables_are_no_parameters():
    facts, _ = facts_of({"main.py": "x = lambda x: x + 1\nx(1)\n"}, "python")
    annotation = {"file": "main.py", "line_number": 1, "variable": "x", "type": ["callable"]}
    (outcome,) = typeevalpy.score(case(annotations=[annotation]), facts)
    assert not outcome.missing


def test_precision_counts_only_closed_lists():
    whole = summarise([Outcome("a", "c", "p", 4, ("m",), 4, ("e",)), Outcome("b", "c", "p", 2)])
    assert (whole["recall"], whole["precision"]) == (round(5 / 6, 4), 0.75)
    assert (whole["sound"], whole["complete"]) == (0.5, 0.0)
    assert summarise([])["recall"] is None


def test_the_script_writes_both_runs(tmp_path, monkeypatch, capsys):
    data, out = tmp_path / "data.jsonl", tmp_path / "out.json"
    data.write_text(
        json.dumps({**case(edges=TRUE_CALLS, files=CALLS), "suite": "pycg-micro", "language": "python"})
    )
    monkeypatch.setattr("sys.argv", ["kg_truth.py", "--data", str(data), "--out", str(out), "--failures"])
    kg_truth.main()
    scores = json.loads(out.read_text())["metrics"]["pycg-micro"]
    assert scores["all"]["whole"]["recall"] == scores["sure"]["whole"]["precision"] == 1
    assert "pycg-micro, without heuristic edges" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is no case"),
        ('{"id": 1, "suite": "zzz", "files": {}}', "unknown suite 'zzz'"),
    ],
)
def test_bad_data_is_an_error_of_the_user(tmp_path, content, message):
    data = tmp_path / "data.jsonl"
    data.write_text(content)
    with pytest.raises(UserError, match=message):
        kg_truth.evaluate(read_cases([data]))


def test_a_path_out_of_the_case_is_refused():
    with pytest.raises(UserError, match="leads out"):
        facts_of({"../x.py": ""}, "python")
