"""What a trained encoder answers, with the leaves that its variant may see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.runs import VARIANTS
from graphmer_geo.data.collate import collate
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.leafy_chain import LeafyChainData, TripleTable
from graphmer_geo.inference.evaluate import load_run
from graphmer_geo.inference.questions import Batch, Questions
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Ranks
from graphmer_geo.transforms.targets import rebuild, set_rank_targets

#: Variants that can be asked for entities.
RANKING = tuple(name for name, variant in VARIANTS.items() if variant.chain.get("leaves", True))


def ranks_of(name: str, run: Path, folder: DataFolder, ranker: Ranker, questions: Questions) -> Ranks:
    """The ranks that the run of a variant gives the answers to the questions."""
    asked = questions
    if name == "without leaves":
        asked = Alone(questions.queries, questions.dataset, questions.batches)
    return ranker.rank_model(load_run(run, folder), asked)


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
