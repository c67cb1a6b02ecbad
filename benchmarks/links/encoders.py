"""The encoder and what it is without each of its parts, trained alike and asked alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from graphmer_geo.data import ChainConfig
from graphmer_geo.data.collate import collate
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.leafy_chain import LeafyChainData, TripleTable
from graphmer_geo.inference.evaluate import load_run
from graphmer_geo.inference.questions import Batch, Questions
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Ranks
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import train
from graphmer_geo.transforms.targets import rebuild, set_rank_targets


@dataclass(frozen=True)
class Variant:
    """Changes to the model, to training and to chains; ``leaves``: whether other leaves can be seen."""

    model: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    chain: dict[str, Any] = field(default_factory=dict)
    leaves: bool = True


#: Without leaves: the asked leaf is there, as the place of the answer, and no leaf tells anything.
VARIANTS = {
    "encoder": Variant(),
    "without leaves": Variant(train={"mnm_prob": 1.0}, chain={"targets_only": True}, leaves=False),
    "without H-GAT": Variant(model={"hgat": False}),
    "without decay": Variant(model={"decay": "none"}),
    "multiplicative decay": Variant(model={"decay": "multiplicative"}),
    "without RoPE": Variant(model={"positions": "none"}),
}


def ranks_of(
    variant: Variant,
    folder: DataFolder,
    out: Path,
    ranker: Ranker,
    questions: Questions,
    model: GraphMERConfig,
    args: TrainArgs,
    chain: ChainConfig,
) -> Ranks:
    """Train a variant and rank the answers to the questions. A run that is complete is not trained again."""
    if not (out / "metrics.json").is_file():
        train(
            folder.path,
            out,
            replace(args, resume="auto", **variant.train),
            replace(model, **variant.model),
            replace(chain, **variant.chain),
        )
    asked = questions if variant.leaves else Alone(questions.queries, questions.dataset, questions.batches)
    return ranker.rank_model(load_run(out, folder), asked)


class Alone(Questions):
    """The same questions, with no other leaf in sight."""

    def __iter__(self) -> Iterator[tuple[Batch, np.ndarray]]:
        """See :class:`~graphmer_geo.inference.questions.Questions`."""
        row = 0
        for indices in self.batches:
            batch = collate([alone(self.dataset[i]) for i in indices])
            count = batch["rank_rel"].numel()
            yield batch, np.arange(row, row + count)
            row += count


def alone(chain: LeafyChainData) -> LeafyChainData:
    """A chain with the leaves it is asked about and no others."""
    rows = chain["rank_triple"].numpy()
    triples = TripleTable.from_chain(chain).take(rows)
    stripped = rebuild(chain, triples)
    set_rank_targets(stripped, triples, np.arange(len(rows)))
    return stripped
