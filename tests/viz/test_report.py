"""The report stands on its own, escapes what it shows, and always sets the model beside its baselines."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from graphmer_geo.data.leafy_chain import Triple, build_chain
from graphmer_geo.inference import EvaluationReport
from graphmer_geo.kg import build_kg
from graphmer_geo.kg.stats import statistics
from graphmer_geo.viz.report import ChainExample, QueryResult, ReportData, report_html, write_report

SHOP = "class Till:\n    def add(self, n): self.n = n\nclass Fast(Till): ...\nFast().add(1)\n"
SCRIPT = "<script>alert(1)</script>"
VOID = {"meta", "br", "img", "link", "input", "hr"}


def metrics(mrr: float, count: int) -> dict[str, float]:
    return {"mrr": mrr, "hits@1": mrr / 2, "hits@3": mrr, "hits@10": min(1.0, 2 * mrr), "count": count}


def evaluation() -> dict[str, Any]:
    def scorers(count: int) -> dict[str, dict[str, float]]:
        return {
            "model": metrics(0.4, count),
            "random": metrics(0.01, count),
            "lexical copy": metrics(0.3, count),
        }

    return EvaluationReport(
        setting={"split": "test"},
        mlm={"model": 0.35, "unigram": 0.1, "count": 900},
        ranking={"all": scorers(300), "hidden": scorers(200), "visible": scorers(100)},
        macro={"all": scorers(3), "hidden": scorers(3), "visible": scorers(2)},
        per_relation={
            "calls": {"all": scorers(200), "hidden": scorers(150)},
            "reads^-1": {"all": scorers(9), "hidden": scorers(9)},
        },
        variants={},
    ).to_dict()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    source = tmp_path_factory.mktemp("src")
    (source / "shop.py").write_text(SHOP)
    kg = build_kg([source])
    chain = build_chain([1, 2, 1], [Triple(1, 1, 1, (2,))], 8)[0]
    return report_html(
        ReportData(
            title="A <title> & more",
            kg=statistics(kg),
            validation=kg.validate().to_dict(),
            queries=[
                QueryResult("Which <classes>?", "SELECT ?x { ?x a <urn:c> }", [{"x": SCRIPT, "n": 1234}]),
                QueryResult("Nothing?", "ASK {}", []),
            ],
            hetero="HeteroData()",
            chain=ChainExample(chain, [b"", b"f(", b"name<T>"], {1: "calls"}, "shop.py"),
            training=[{"step": s, "loss": 5.0 - s, "mlm": 2.0, "rank": 1.0} for s in (1, 2, 3)],
            evaluation=evaluation(),
            environment={"python": "3.11"},
            next_steps=[("Longer", "graphmer demo --minutes 20")],
        )
    )  # fmt: skip


class Structure(HTMLParser):
    """Checks that elements nest, and collects ids, links and headings."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name == "href" and str(value).startswith("#") and tag == "a":
                self.anchors.append(str(value)[1:])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def test_the_page_is_well_formed_and_its_links_lead_somewhere(page: str) -> None:
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    assert len(structure.ids) == len(set(structure.ids))
    assert structure.anchors
    assert set(structure.anchors) <= set(structure.ids)
    assert structure.headings == [
        "Knowledge graph", "Validation", "Questions to the graph", "HeteroData", "A leafy chain", "Training",
        "Evaluation", "What to try next", "How this was made",
    ]  # fmt: skip


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    fetched = re.findall(r'(?:src|href|data|action)="(?!#)([^"]*)"|@import|url\((?!#)', page)
    assert not fetched
    assert "<script" not in page
    assert "<link" not in page


def test_text_is_escaped(page: str) -> None:
    assert "A &lt;title&gt; &amp; more" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "name&lt;T&gt;" in page
    assert ">1,234<" in page


def test_every_plot_says_what_it_shows(page: str) -> None:
    svgs = re.findall(r"<svg [^>]*>", page)
    assert len(svgs) >= 4
    for svg in svgs:
        assert 'role="img"' in svg
        assert re.search(r'aria-label="[^"]{20,}"', svg), svg


def test_the_model_stands_beside_the_best_baseline(page: str) -> None:
    assert "best baseline 0.300 (lexical copy)" in page
    assert page.count('<tr class="own"><td>model</td>') == 4  # hidden, visible, all, masked tokens
    assert "calls  (150)" in page
    assert "reads, inverse" not in page  # nine queries are too few to plot


def test_parts_that_are_missing_are_left_out() -> None:
    page = report_html(ReportData(title="Only a title"))
    assert "<section" not in page
    assert "Only a title" in page


def test_writing_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = write_report(tmp_path / "deep" / "report.html", ReportData(title="one"))
    before = target.read_text(encoding="utf-8")

    def interrupted(*args: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("graphmer_geo.viz.report.report_html", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report(target, ReportData(title="two"))
    assert target.read_text(encoding="utf-8") == before
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]
