"""Which entities a masked tail is to be found among while training.

Scoring every entity of a large graph at every step is out of reach, so each batch has one pool of
candidates, shared by its queries: all right answers of the batch, and a uniform sample per relation of
entities whose kind the relation's range admits. Sampling favours frequent answers (they come in as
answers of other queries), which would teach the model to mistrust them; ``cand_log_q`` holds the log
probability of being drawn, to be subtracted from the scores (Bengio and Senécal, 2008; Yi et al.,
"Sampling-Bias-Corrected Neural Modeling", 2019).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphmer_geo.errors import UserError
from graphmer_geo.train.places import Places

IntArray = NDArray[np.int64]


class TrueTails:
    """All known answers of each (head, relation) pair, and how often each entity answers a relation.

    Args:
        triples: ``[T, 3]`` rows (head, relation id, tail).
        num_entities: number of entity ids.
    """

    def __init__(self, triples: IntArray, num_entities: int) -> None:
        self.num_entities = num_entities
        triples = np.unique(triples, axis=0)
        keys = triples[:, 1] * num_entities + triples[:, 0]
        order = np.lexsort((triples[:, 2], keys))
        self._keys, self._tails = keys[order], triples[order, 2]
        answers = triples[:, 1] * num_entities + triples[:, 2]
        self._answers, self._counts = np.unique(answers, return_counts=True)
        self._totals = np.bincount(triples[:, 1], minlength=1)

    def of(self, head: IntArray, relation: IntArray) -> tuple[IntArray, IntArray]:
        """Known answers of Q queries, as pairs (query, entity id), sorted by query."""
        keys = relation * self.num_entities + head
        first = np.searchsorted(self._keys, keys)
        count = np.searchsorted(self._keys, keys, side="right") - first
        query = np.repeat(np.arange(len(keys)), count)
        within = np.arange(len(query)) - np.repeat(np.cumsum(count) - count, count)
        return query, self._tails[first[query] + within]

    def frequency(self, relation: int, entities: IntArray) -> NDArray[np.float64]:
        """Share of the relation's triples that each entity answers."""
        if relation >= len(self._totals) or not self._totals[relation]:
            return np.zeros(len(entities))
        keys = relation * self.num_entities + entities
        at = np.minimum(np.searchsorted(self._answers, keys), len(self._answers) - 1)
        return np.where(self._answers[at] == keys, self._counts[at], 0) / self._totals[relation]


class CandidateSampler:
    """Adds a pool of candidates to a batch with ``rank_rel``, ``rank_head`` and ``rank_tail``.

    Args:
        kinds: ``[E]`` kind code of each entity.
        names: token ids of all entity names back to back, and ``[E + 1]`` offsets into them.
        eligible: ``[E]`` bool, entities that may be drawn (those known to the train split).
        triples: ``[T, 3]`` rows (head, relation id, tail) of the train split, both directions.
        allowed: ``[R, K]`` bool, which kinds each relation's range admits.
        size: how many entities to draw beside the right answers.
        places: where entities are declared. If given, half as many again are drawn from the files of the
            batch's heads, to be told apart from answers that are near too, and ``rank_near`` is added.
    """

    def __init__(
        self,
        kinds: IntArray,
        names: tuple[IntArray, IntArray],
        eligible: NDArray[np.bool_],
        triples: IntArray,
        allowed: NDArray[np.bool_],
        size: int = 512,
        places: Places | None = None,
    ) -> None:
        if size < 1:
            raise UserError(f"the number of candidates is {size}; it must be at least 1")
        self.kinds, self.allowed, self.size = kinds, allowed, size
        self.names = names
        self.known = TrueTails(triples, len(kinds))
        self._by_kind = [np.flatnonzero(eligible & (kinds == k)) for k in range(allowed.shape[1])]
        self._admissible: dict[int, IntArray] = {}
        self.places = places
        if places is not None:
            known = np.flatnonzero(eligible & ~places.external)
            self._by_file = known[np.argsort(places.file[known], kind="stable")]
            self._files = places.file[self._by_file]

    def admissible(self, relation: int) -> IntArray:
        """Eligible entities that the relation's range admits."""
        if relation not in self._admissible:
            parts = [self._by_kind[k] for k in np.flatnonzero(self.allowed[relation])]
            self._admissible[relation] = np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)
        return self._admissible[relation]

    def __call__(self, batch: dict[str, Tensor], rng: np.random.Generator) -> dict[str, Tensor]:
        """The batch with its candidates; without a query the pool is empty.

        Adds ``cand``, ``cand_log_q``, ``cand_tok``, ``cand_ptr``, ``cand_kind``, ``rank_target`` and
        ``rank_allowed``; :func:`graphmer_geo.data.fake.fake_batch` gives their shapes.
        """
        rel, head, tail = (batch[f"rank_{column}"].numpy() for column in ("rel", "head", "tail"))
        relations, count = np.unique(rel, return_counts=True)
        quota = np.ceil(self.size * count / max(len(rel), 1)).astype(np.int64)
        drawn = [self._draw(int(r), int(n), rng) for r, n in zip(relations, quota, strict=True)]
        near, near_share = self._draw_near(head, relations, rng)
        cand = np.unique(np.concatenate([tail, *drawn, near])).astype(np.int64)
        tok, ptr = self._name_tokens(cand)
        if self.places is not None:
            batch = batch | {"rank_near": torch.from_numpy(self.places.level(head[:, None], cand[None]))}
        return batch | {
            "cand": torch.from_numpy(cand),
            "cand_log_q": torch.from_numpy(self._log_q(cand, relations, count, quota, near_share)),
            "cand_tok": torch.from_numpy(tok),
            "cand_ptr": torch.from_numpy(ptr),
            "cand_kind": torch.from_numpy(self.kinds[cand]),
            "rank_target": torch.from_numpy(np.searchsorted(cand, tail)),
            "rank_allowed": torch.from_numpy(self._allowed(cand, rel, head, tail)),
        }

    def _draw(self, relation: int, count: int, rng: np.random.Generator) -> IntArray:
        pool = self.admissible(relation)
        return pool if len(pool) <= count else rng.choice(pool, count, replace=False)

    def _draw_near(
        self, head: IntArray, relations: IntArray, rng: np.random.Generator
    ) -> tuple[IntArray, dict[int, float]]:
        """Entities of the heads' files, of a kind some relation admits; and the share drawn of each file."""
        if self.places is None or not len(head):
            return np.zeros(0, np.int64), {}
        files = np.unique(self.places.file[head])
        quota = max(1, self.size // (2 * len(files)))
        kinds = np.logical_or.reduce(self.allowed[relations])
        drawn, share = [np.zeros(0, np.int64)], {}
        for file in files.tolist():
            first, last = np.searchsorted(self._files, file), np.searchsorted(self._files, file, side="right")
            pool = self._by_file[first:last]
            pool = pool[kinds[self.kinds[pool]]]
            if len(pool):
                share[file] = min(1.0, quota / len(pool))
                drawn.append(pool if len(pool) <= quota else rng.choice(pool, quota, replace=False))
        return np.concatenate(drawn), share

    def _log_q(
        self,
        cand: IntArray,
        relations: IntArray,
        count: IntArray,
        quota: IntArray,
        near_share: dict[int, float],
    ) -> NDArray[np.float32]:
        """Log probability that each candidate enters the pool: as another query's answer, or as a draw."""
        absent = np.ones(len(cand))
        if self.places is not None:
            share_of = np.array([near_share.get(f, 0.0) for f in self.places.file[cand].tolist()])
            absent *= 1.0 - share_of * np.logical_or.reduce(self.allowed[relations])[self.kinds[cand]]
        chance = np.zeros(len(cand))
        for r, n, drawn in zip(relations.tolist(), count.tolist(), quota.tolist(), strict=True):
            share = min(1.0, drawn / max(len(self.admissible(r)), 1))
            absent *= np.where(self.allowed[r, self.kinds[cand]], 1.0 - share, 1.0)
            chance += n / count.sum() * self.known.frequency(r, cand)
        absent *= (1.0 - np.minimum(chance, 1.0)) ** max(count.sum() - 1, 0)
        return np.log(np.maximum(1.0 - absent, 1e-6)).astype(np.float32)

    def _allowed(self, cand: IntArray, rel: IntArray, head: IntArray, tail: IntArray) -> NDArray[np.bool_]:
        allowed = self.allowed[rel][:, self.kinds[cand]]
        query, answer = self.known.of(head, rel)
        column = np.minimum(np.searchsorted(cand, answer), max(len(cand) - 1, 0))
        inside = cand[column] == answer if len(cand) else np.zeros(0, bool)
        allowed[query[inside], column[inside]] = False
        allowed[np.arange(len(tail)), np.searchsorted(cand, tail)] = True
        return allowed

    def _name_tokens(self, cand: IntArray) -> tuple[IntArray, IntArray]:
        tok, start = self.names
        lengths = start[cand + 1] - start[cand]
        ptr = np.concatenate([[0], np.cumsum(lengths)])
        return tok[np.repeat(start[cand] - ptr[:-1], lengths) + np.arange(ptr[-1])], ptr
