"""Our model on given functions: all of it, each of its parts, and without leaves."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.runs import WHOLE, Budget, steps_of, trained
from graphmer_geo.data import LeafyChainData, LeafyChainDataset
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.pairs import PairConfig, Pairs
from graphmer_geo.data.words import LeafWords, WordTable
from graphmer_geo.inference import Embedder
from graphmer_geo.models.graphmer import word_bags
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.pair_batch import without_leaves
from graphmer_geo.train.search import finetune

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Tuning:
    """What fine-tuning may cost: minutes, or optimiser steps; and the pairs of a batch."""

    minutes: float = 1.0
    steps: int | None = None
    learning_rate: float = 1e-3
    per_batch: int = 64

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Options of the command line; the defaults are those of a small trial."""
        parser.add_argument("--search_minutes", type=float, default=cls.minutes, help="of fine-tuning")
        parser.add_argument("--search_steps", type=int, help="optimiser steps instead: repeatable to the bit")
        parser.add_argument("--learning_rate", type=float, default=cls.learning_rate, help="of fine-tuning")
        parser.add_argument("--per_batch", type=int, default=cls.per_batch, help="pairs")

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Tuning:
        """What these options say."""
        return cls(
            arguments.search_minutes, arguments.search_steps, arguments.learning_rate, arguments.per_batch
        )

    def name(self) -> str:
        """What tells its runs from those of other budgets."""
        length = f"{self.steps}-steps" if self.steps else f"{self.minutes:g}-minutes"
        return f"search-{length}-{self.per_batch}-{self.learning_rate:g}"


def tuned(variant: str, folder: DataFolder, work: Path, budget: Budget, tuning: Tuning, seed: int) -> Path:
    """The fine-tuned run of a variant; as many pairs as the whole encoder of that seed has seen."""
    base = trained(variant, folder, work, budget, seed)
    out = work / "runs" / f"{base.name}-{tuning.name()}"
    if (out / "metrics.json").is_file():
        return out
    steps, seconds = tuning.steps, None if tuning.steps else tuning.minutes * 60
    if variant != WHOLE:
        steps, seconds = steps_of(tuned(WHOLE, folder, work, budget, tuning, seed)), None
    args = TrainArgs(
        max_steps=steps, max_seconds=seconds, learning_rate=tuning.learning_rate, seed=seed,
        threads=budget.threads, precision=budget.precision, resume="auto",
    )  # fmt: skip
    same = max(1, tuning.per_batch // 2)
    return finetune(base, folder.path, out, args, PairConfig(per_batch=tuning.per_batch, same_unit=same))


class Searcher:
    """A fine-tuned run as a scorer of pairs."""

    def __init__(self, run: Path) -> None:
        self.embedder = Embedder(run)

    def chains(self, pairs: Pairs) -> list[LeafyChainData]:
        """Of the functions, with the leaves that the run was trained with."""
        dataset = LeafyChainDataset(pairs.folder, pairs.split, config=self.embedder.reader.chain)
        return [dataset[row] for row in range(len(dataset))]

    def parts(
        self, pairs: Pairs, chains: Sequence[LeafyChainData], queries: Sequence[str] | None = None
    ) -> dict[str, Scores]:
        """Scores ``[Q, C]`` of the whole model and of its parts; "without leaves": the same, roots alone."""
        asked = self.embedder.queries(list(queries or pairs.query))
        leaves = LeafWords(pairs.folder, self.embedder.pairs.buckets).of(chains)
        vectors, words = self._scores(asked.vectors, asked.words, chains, pairs.code_words.joined(leaves))
        found = {"all": vectors + words, "vectors alone": vectors, "words alone": words}
        if any(chain["leaf_index"].numel() for chain in chains):
            bare = [without_leaves(chain) for chain in chains]
            found["leaves hidden"] = np.add(
                *self._scores(asked.vectors, asked.words, bare, pairs.code_words)
            )
        return found

    def _scores(
        self, query: Scores, query_words: WordTable, chains: Sequence[LeafyChainData], code_words: WordTable
    ) -> tuple[Scores, Scores]:
        head, embedder = self.embedder.model.searcher, self.embedder
        tensors = {k: v.to(embedder.device) for k, v in query_words.tensors("query").items()}
        with torch.no_grad():
            dense, lexical = (float(scale) for scale in head.scales)
            bags = word_bags(tensors, "query", len(query_words)), embedder.bags(code_words)
            shared = head.words(*bags).cpu().numpy()
        return dense * (query @ embedder.vectors(chains).T), lexical * shared


def untrained_words(train: Pairs, pairs: Pairs) -> Scores:
    """BM25 over name and code with the weights it starts from, counted in the train split."""
    from graphmer_geo.nn.search import WordMatch

    match = WordMatch(PairConfig().buckets)
    match.fit(word_bags(train.code_words.tensors("code"), "code", len(train)))
    with torch.no_grad():
        query = word_bags(pairs.query_words.tensors("query"), "query", len(pairs))
        scores: Scores = match(query, word_bags(pairs.code_words.tensors("code"), "code", len(pairs))).numpy()
    return scores


def first(pairs: Pairs, limit: int | None) -> Pairs:
    """The first pairs, all of them if ``limit`` is not given."""
    if limit is None or len(pairs) <= limit:
        return pairs
    rows = range(limit)
    folder = replace(pairs.folder, table=pairs.folder.table.slice(0, limit))
    return replace(
        pairs, folder=folder, query=pairs.query[:limit], names=pairs.names[:limit], code=pairs.code[:limit],
        query_words=pairs.query_words.take(rows), code_words=pairs.code_words.take(rows),
    )  # fmt: skip
