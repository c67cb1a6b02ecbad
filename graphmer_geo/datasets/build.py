"""From a recipe to a graph and training data in one folder: ``graphmer data build``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from graphmer_geo.data import DataConfig, DataFolder, prepare
from graphmer_geo.datasets.corpus import Corpus, fetch_corpus
from graphmer_geo.datasets.fetch import Progress
from graphmer_geo.datasets.recipe import Recipe
from graphmer_geo.kg import KnowledgeGraph, build_kg


@dataclass(frozen=True)
class BuiltDataset:
    """Everything that was made of a recipe."""

    corpus: Corpus
    kg: KnowledgeGraph
    data: DataFolder


def build_dataset(
    name: str | Path | Recipe,
    out: str | Path,
    config: DataConfig | None = None,
    *,
    jdk: str | Path | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> BuiltDataset:
    """Make ``OUT/kg`` and ``OUT/data``; what is up to date is not made again.

    Args:
        name: A shipped recipe, a recipe file, or a recipe.
        out: Folder to write to.
        config: Settings of the training data; how it is split is the recipe's to say.
        jdk: Where a JDK's sources are, see :func:`graphmer_geo.datasets.fetch.fetch`.
        workers: Processes that build the graph.
        progress: Called with a stage, and how much of how much is done.

    Raises:
        UserError: The code cannot be fetched, or ``out`` holds something else.
    """
    folder = Path(out)
    corpus = fetch_corpus(name, jdk=jdk, progress=progress)
    kg = build_kg(corpus.sources, folder / "kg", workers=workers, progress=progress)
    split = corpus.recipe.split
    settings = replace(
        config or DataConfig(),
        unit=split.by,
        seed=split.seed,
        validation_units=split.validation,
        test_units=split.test,
    )
    prepare(kg, folder / "data", settings, progress=progress)
    return BuiltDataset(corpus, kg, DataFolder.open(folder / "data"))
