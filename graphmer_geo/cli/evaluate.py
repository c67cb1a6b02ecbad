"""``graphmer eval``."""

from __future__ import annotations

from typing import Literal

from graphmer_geo.cli.output import write_json, write_renderables


def evaluate(
    run: str,
    data: str,
    split: Literal["validation", "test"] = "test",
    limit: int | None = None,
    per_chain: int = 4,
    seed: int = 0,
    json: bool = False,
) -> None:
    """Measure a trained encoder on packages it has not seen, beside baselines that need no training.

    Masked tokens: top-1 accuracy. Masked nodes: MRR and Hits@1/3/10 among all entities that the ontology
    admits, filtered, for answers that can be read in the code and for those that cannot.

    Args:
        run: Run folder of `graphmer train`.
        data: Folder of `graphmer data prepare`.
        split: What to evaluate on.
        limit: About how many ranking queries; default: all of the split.
        per_chain: Most queries in one chunk of code.
        seed: Seed of all draws.
        json: Print every number as JSON.

    Example:
        graphmer eval run/ --data data/ --split test --json
    """
    from graphmer_geo.inference import evaluate as run_evaluation

    report = run_evaluation(run, data, split, per_chain=per_chain, seed=seed, limit=limit)
    if json:
        write_json(report.to_dict())
    else:
        write_renderables(report.to_rich())
