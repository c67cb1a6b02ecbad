"""Ranks of queries among all entities that the relation admits, by a model or by any baseline.

Scores are made and ranked block by block, so memory does not grow with the number of queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphmer_geo.inference.questions import Questions
from graphmer_geo.metrics import Queries, Ranks, TailScorer, filtered_ranks
from graphmer_geo.models import GraphMER
from graphmer_geo.train.candidates import TrueTails
from graphmer_geo.train.tables import Tables

IntArray = NDArray[np.int64]

#: Scores held at once by a baseline; a handful of temporaries of this many floats exist beside them.
BLOCK = 8_000_000


class Ranker:
    """Who competes for a query: every entity of the graph of a kind that the relation takes anywhere in it.

    Candidates are the same for every scorer, and every other true answer anywhere in the graph is left
    out, in whichever split it was asserted.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.known = TrueTails(tables.triples, len(tables))
        self.admitted = tables.admitted(tables.triples)

    def candidates(self, relation: int) -> IntArray:
        """Entity ids, ascending."""
        return np.flatnonzero(self.admitted[relation][self.tables.kinds])

    def blocks(self, queries: Queries, parts: int = 1) -> Iterator[tuple[IntArray, IntArray]]:
        """Rows of queries of one relation, and their candidates: at most ``BLOCK / parts`` scores at once."""
        for relation in np.unique(queries.relation).tolist():
            candidates = self.candidates(relation)
            rows = np.flatnonzero(queries.relation == relation)
            size = max(1, BLOCK // (parts * len(candidates)))
            yield from ((rows[i : i + size], candidates) for i in range(0, len(rows), size))

    def rank(self, scorer: TailScorer, queries: Queries) -> Ranks:
        """Ranks of all queries by a scorer that takes one relation at a time."""
        rank = torch.zeros(len(queries), dtype=torch.float64)
        competing = torch.zeros(len(queries), dtype=torch.int64)
        for rows, candidates in self.blocks(queries):
            asked = queries.select(rows)
            rank[rows], competing[rows] = self.filtered(scorer.scores(asked, candidates), asked, candidates)
        return Ranks(rank, competing)

    def rank_model(
        self, model: GraphMER, questions: Questions, progress: Callable[[int, int], None] | None = None
    ) -> Ranks:
        """Ranks of all queries by a model, batch by batch."""
        device = next(model.parameters()).device
        every = np.unique(np.concatenate([self.candidates(r) for r in np.unique(questions.queries.relation)]))
        tok, ptr, kind = (column.to(device) for column in self.tables.names(every))
        with torch.no_grad():
            vectors = model.entity_embeddings(tok, ptr, kind)
        parts: list[Ranks] = []
        for done, (batch, rows) in enumerate(questions):
            if progress:
                progress(done, len(questions.batches))
            moved = {name: value.to(device) for name, value in batch.items()}
            near = self.tables.places.level(questions.queries.head[rows][:, None], every[None])
            scores = model.rank(moved, tok, ptr, kind, vectors, torch.from_numpy(near).to(device)).cpu()
            for block in np.array_split(np.arange(len(rows)), -(-len(rows) * len(every) // BLOCK)):
                parts.append(self._restricted(scores[block], questions.queries.select(rows[block]), every))
        return Ranks(torch.cat([p.rank for p in parts]), torch.cat([p.candidates for p in parts]))

    def _restricted(self, scores: Tensor, queries: Queries, candidates: IntArray) -> Ranks:
        """Ranks where queries of several relations share a score matrix."""
        outside = torch.from_numpy(~self.admitted[queries.relation][:, self.tables.kinds[candidates]])
        return self.filtered(scores, queries, candidates, outside)

    def filtered(
        self,
        scores: Tensor | NDArray[np.float32],
        queries: Queries,
        candidates: IntArray,
        outside: Tensor | None = None,
    ) -> Ranks:
        """Ranks of queries from scores ``[Q, C]``.

        Args:
            scores: higher is better.
            queries: what was asked.
            candidates: entity ids of the columns, ascending.
            outside: ``[Q, C]`` candidates that the relation does not admit.
        """
        left_out = torch.zeros(scores.shape, dtype=torch.bool) if outside is None else outside
        query, answer = self.known.of(queries.head, queries.relation)
        column = np.minimum(np.searchsorted(candidates, answer), len(candidates) - 1)
        inside = candidates[column] == answer
        left_out[torch.from_numpy(query[inside]), torch.from_numpy(column[inside])] = True
        target = np.minimum(np.searchsorted(candidates, queries.tail), len(candidates) - 1)
        target = np.where(candidates[target] == queries.tail, target, -1)
        return filtered_ranks(torch.as_tensor(scores), torch.from_numpy(target), left_out)
