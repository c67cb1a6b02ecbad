"""Leafy chains: a chunk's tokens as a chain of roots, the tails of its triples as leaves on their heads.

The layout is flat and ragged (no padding): all roots in order, then the leaves, triple by triple. A leaf
hangs on the *first* token of its head; the other head tokens reach it only through ``edge_index``. Several
triples may share a head, or start at the same token: each is a ``group`` of its own. See GraphMERT,
arXiv:2510.09580, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from graphmer_geo.errors import UserError

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Attributes whose values point at triples of the same graph; everything with "index" in its name points at
#: nodes.
TRIPLE_POINTERS = frozenset({"leaf_triple", "rank_triple"})


class Triple(NamedTuple):
    """A triple to hang on a chain; entity ids are optional (-1: unknown)."""

    head_start: int  # root index of the head's first token
    head_len: int  # number of head tokens
    relation: int
    tail_tokens: tuple[int, ...]
    head: int = -1
    tail: int = -1
    tail_parent: int = -1
    visible: bool = False
    target: bool = True


class LeafyChainData(Data):
    r"""One leafy chain, or a batch of them, as a PyG :class:`~torch_geometric.data.Data`.

    With :math:`R` roots, :math:`L` leaves, :math:`n = R + L` nodes, :math:`m` triples and :math:`E` edges:

    ======================  ========  ========================================================================
    attribute               shape     meaning
    ======================  ========  ========================================================================
    ``tok``                 ``[n]``   token ids, roots first
    ``root``                ``[n]``   root index in its own graph; for a leaf that of its head's first token
    ``group``               ``[n]``   -1 for a root, else the triple's ordinal in its graph
    ``slot``                ``[n]``   -1 for a root, else the position in the tail
    ``edge_index``          ``[2,E]`` every head token to every leaf of its triple
    ``edge_rel``            ``[E]``   relation id (0 is reserved for "none")
    ``leaf_index``          ``[L]``   node of each leaf
    ``leaf_triple``         ``[L]``   triple of each leaf
    ``triple_rel``          ``[m]``   relation id
    ``triple_head``         ``[m]``   entity id of the head
    ``triple_tail``         ``[m]``   entity id of the tail
    ``triple_tail_parent``  ``[m]``   entity id of what declares the tail, -1 for none
    ``triple_head_start``   ``[m]``   root index of the head's first token
    ``triple_head_len``     ``[m]``   number of head tokens
    ``triple_visible``      ``[m]``   the tail's name can be read in the roots outside the head
    ``triple_target``       ``[m]``   the triple may be masked and predicted
    ======================  ========  ========================================================================
    """

    def __inc__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        return increment(key, self["tok"].numel(), self["triple_rel"].numel())

    def __cat_dim__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        return cat_dim(key)


def increment(key: str, num_nodes: int, num_triples: int) -> int:
    """What batching adds to attribute ``key`` of all graphs after one with this many nodes and triples."""
    if "index" in key:
        return num_nodes
    return num_triples if key in TRIPLE_POINTERS else 0


def cat_dim(key: str) -> int:
    """The dimension along which batching concatenates attribute ``key``."""
    return 1 if key == "edge_index" else 0


@dataclass(frozen=True, slots=True)
class TripleTable:
    """Columns of ``m`` triples to hang on one chain, and the tokens of their tails back to back."""

    rel: IntArray
    head: IntArray
    tail: IntArray
    tail_parent: IntArray
    head_start: IntArray
    head_len: IntArray
    visible: BoolArray
    target: BoolArray
    leaf_len: IntArray  # [m], each at least 1
    leaf_tok: IntArray  # [sum(leaf_len)]

    @classmethod
    def from_triples(cls, triples: Sequence[Triple]) -> Self:
        """From one record per triple."""

        def column(name: str, dtype: type = np.int64) -> Any:
            return np.fromiter((getattr(t, name) for t in triples), dtype, len(triples))

        return cls(
            rel=column("relation"),
            head=column("head"),
            tail=column("tail"),
            tail_parent=column("tail_parent"),
            head_start=column("head_start"),
            head_len=column("head_len"),
            visible=column("visible", np.bool_),
            target=column("target", np.bool_),
            leaf_len=np.array([len(t.tail_tokens) for t in triples], np.int64),
            leaf_tok=np.array([token for t in triples for token in t.tail_tokens], np.int64),
        )

    @classmethod
    def from_chain(cls, data: LeafyChainData) -> Self:
        """The triples of one (unbatched) chain, with its present leaf tokens."""
        m = data["triple_rel"].numel()
        return cls(
            rel=data["triple_rel"].numpy(),
            head=data["triple_head"].numpy(),
            tail=data["triple_tail"].numpy(),
            tail_parent=data["triple_tail_parent"].numpy(),
            head_start=data["triple_head_start"].numpy(),
            head_len=data["triple_head_len"].numpy(),
            visible=data["triple_visible"].numpy(),
            target=data["triple_target"].numpy(),
            leaf_len=np.bincount(data["leaf_triple"].numpy(), minlength=m),
            leaf_tok=data["tok"].numpy()[data["leaf_index"].numpy()],
        )

    def __len__(self) -> int:
        return len(self.rel)

    @property
    def leaf_start(self) -> IntArray:
        """Where each triple's tokens begin in ``leaf_tok``; shape ``[m]``."""
        return np.cumsum(self.leaf_len) - self.leaf_len

    @property
    def leaf_triple(self) -> IntArray:
        """The triple of each leaf; shape ``[L]``."""
        return np.repeat(np.arange(len(self)), self.leaf_len)

    def take(self, rows: IntArray) -> TripleTable:
        """The triples at ``rows``, in that order."""
        lengths = self.leaf_len[rows]
        return TripleTable(
            rel=self.rel[rows],
            head=self.head[rows],
            tail=self.tail[rows],
            tail_parent=self.tail_parent[rows],
            head_start=self.head_start[rows],
            head_len=self.head_len[rows],
            visible=self.visible[rows],
            target=self.target[rows],
            leaf_len=lengths,
            leaf_tok=self.leaf_tok[ranges(self.leaf_start[rows], lengths)],
        )

    def collapsed(self, rows: IntArray, token: int) -> TripleTable:
        """With the whole tail of each of ``rows`` replaced by one leaf that holds ``token``."""
        keep = np.ones(len(self.leaf_tok), np.bool_)
        first = self.leaf_start[rows]
        keep[ranges(first, self.leaf_len[rows])] = False
        keep[first] = True
        tokens, lengths = self.leaf_tok.copy(), self.leaf_len.copy()
        tokens[first], lengths[rows] = token, 1
        return replace(self, leaf_len=lengths, leaf_tok=tokens[keep])


def ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """Concatenation of ``arange(start, start + length)`` over all pairs."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - lengths), lengths)


def assemble(roots: IntArray, triples: TripleTable) -> LeafyChainData:
    """Hang a table of triples on the chain of ``roots`` (token ids, shape ``[R]``)."""
    num_roots, num_leaves = len(roots), len(triples.leaf_tok)
    owner = triples.leaf_triple  # [L]
    none = np.full(num_roots, -1)
    slots = np.arange(num_leaves) - triples.leaf_start[owner]
    leaf_head = triples.head_start[owner]  # [L]
    fan_in = triples.head_len[owner]  # [L] edges into each leaf
    leaf_index = np.arange(num_roots, num_roots + num_leaves)
    edge_index = np.stack([ranges(leaf_head, fan_in), np.repeat(leaf_index, fan_in)])  # [2, E]
    arrays = {
        "tok": np.concatenate([roots, triples.leaf_tok]),
        "root": np.concatenate([np.arange(num_roots), leaf_head]),
        "group": np.concatenate([none, owner]),
        "slot": np.concatenate([none, slots]),
        "edge_index": edge_index,
        "edge_rel": np.repeat(triples.rel[owner], fan_in),
        "leaf_index": leaf_index,
        "leaf_triple": owner,
        "triple_rel": triples.rel,
        "triple_head": triples.head,
        "triple_tail": triples.tail,
        "triple_tail_parent": triples.tail_parent,
        "triple_head_start": triples.head_start,
        "triple_head_len": triples.head_len,
        "triple_visible": triples.visible,
        "triple_target": triples.target,
    }
    tensors = {key: torch.from_numpy(value) for key, value in arrays.items()}
    return LeafyChainData(**tensors, num_nodes=num_roots + num_leaves)


def build_chain(
    roots: Sequence[int], triples: Sequence[Triple], max_leaves: int = 8
) -> tuple[LeafyChainData, list[Triple]]:
    """Hang ``triples`` on the tokens ``roots``.

    Returns:
        The chain, and the triples that were left out because their tail is empty or longer than
        ``max_leaves``: a truncated tail would be another entity's name, so it is never hung, and never lost
        without notice.

    Raises:
        UserError: A head lies outside the roots.
    """
    skipped = [t for t in triples if not 0 < len(t.tail_tokens) <= max_leaves]
    kept = [t for t in triples if 0 < len(t.tail_tokens) <= max_leaves]
    for t in kept:
        if t.head_len < 1 or t.head_start < 0 or t.head_start + t.head_len > len(roots):
            raise UserError(
                f"head at {t.head_start} of {t.head_len} tokens is outside the {len(roots)} roots; "
                "give the mention's token span in this chunk"
            )
    return assemble(np.asarray(roots, np.int64), TripleTable.from_triples(kept)), skipped


def chain_to_triples(data: LeafyChainData) -> list[tuple[tuple[int, int], int, tuple[int, ...]]]:
    """Read back ``((head start, head length), relation, tail tokens)`` of every triple, in order.

    Only nodes and edges are used, no ``triple_*`` column: equality with what went in shows that the graph
    itself loses nothing.
    """
    source, leaf = data["edge_index"].tolist()
    relation = data["edge_rel"].tolist()
    group, slot, tok = data["group"].tolist(), data["slot"].tolist(), data["tok"].tolist()
    heads: dict[int, set[int]] = {}
    relations: dict[int, int] = {}
    tails: dict[int, dict[int, int]] = {}
    for i, j, r in zip(source, leaf, relation, strict=True):
        heads.setdefault(group[j], set()).add(i)
        relations[group[j]] = r
        tails.setdefault(group[j], {})[slot[j]] = tok[j]
    result = []
    for g in sorted(heads):
        tail = tuple(token for _, token in sorted(tails[g].items()))
        result.append(((min(heads[g]), len(heads[g])), relations[g], tail))
    return result


def root_tokens(data: LeafyChainData) -> Tensor:
    """Token ids of the roots of one (unbatched) chain; shape ``[R]``."""
    return data["tok"][: data.num_nodes - data["leaf_index"].numel()]
