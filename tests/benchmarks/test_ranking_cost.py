from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import ranking_cost
from graphmer_geo.errors import UserError
from graphmer_geo.inference import ranker
from graphmer_geo.metrics import expected_per_query
from graphmer_geo.results import read_result


def test_random_vectors_rank_at_random() -> None:
    """So what is timed is the real thing."""
    found = ranking_cost.measure(2000, 50, size=8, threads=1)
    assert found["mrr"] == pytest.approx(float(expected_per_query([41])["mrr"][0]), abs=0.03)
    assert found["peak_mib"] > 0


def test_memory_is_bounded_by_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    scores = ranking_cost.Vectors.scores

    def watched(self, queries, candidates):
        sizes.append(len(queries) * len(candidates))
        return scores(self, queries, candidates)

    monkeypatch.setattr(ranker, "BLOCK", 1000)
    monkeypatch.setattr(ranking_cost.Vectors, "scores", watched)
    ranking_cost.measure(100, 50, size=4, threads=1)
    assert len(sizes) == 5
    assert max(sizes) <= 1000


def test_points_grow_one_way_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ranking_cost.points(8, 4) == [(2, 4), (4, 4), (8, 4), (8, 1), (8, 2)]
    monkeypatch.setattr(ranking_cost, "points", lambda *given: [given])  # a process takes seconds to start
    out = tmp_path / "cost.json"
    words = ["--queries", "4", "--candidates", "8", "--size", "4", "--threads", "1"]
    ranking_cost.main([*words, "--out", str(out)])
    [point] = read_result(out)["metrics"]["points"]
    assert (point["queries"], point["candidates"]) == (4, 8)
    with pytest.raises(UserError, match="must be at least 1"):
        ranking_cost.measure(0, 5, size=4, threads=1)
