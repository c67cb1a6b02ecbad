"""The published layout: 128 roots, seven places for leaves on each, 1,024 positions whatever is in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graphmer_geo.data.leafy_chain import LeafyChainData, TripleTable, assemble
from graphmer_geo.models import GraphMER
from graphmer_geo.nn import ChainStructure, token_loss


@dataclass(frozen=True)
class FixedLayout:
    """``roots`` roots with ``leaves`` places each."""

    roots: int = 128
    leaves: int = 7

    @property
    def positions(self) -> int:
        """Positions of one graph."""
        return self.roots * (1 + self.leaves)


def first_roots(chains: list[LeafyChainData], fixed: FixedLayout) -> list[LeafyChainData]:
    """Chains of exactly so many roots (longer ones are cut), with what of their triples fits.

    Shorter chains are left out: the layout is shown at its best, without padding among the roots. It has
    room for one triple on a root token, of at most ``leaves`` tokens.
    """
    kept = []
    for chain in chains:
        tok = chain["tok"].numpy()
        triples = TripleTable.from_chain(chain)
        if len(tok) - len(triples.leaf_tok) < fixed.roots:
            continue
        fits = (triples.head_start + triples.head_len <= fixed.roots) & (triples.leaf_len <= fixed.leaves)
        rows = np.flatnonzero(fits)
        rows = rows[np.unique(triples.head_start[rows], return_index=True)[1]]
        short = assemble(tok[: fixed.roots], triples.take(rows))
        inside = chain["mlm_index"] < fixed.roots
        short["mlm_index"], short["mlm_label"] = chain["mlm_index"][inside], chain["mlm_label"][inside]
        kept.append(short)
    return kept


def fixed_states(model: GraphMER, batch: dict[str, Tensor]) -> Tensor:
    """States of all positions: PADs pass through every layer as nodes, and nobody attends to them."""
    x = model.embedding(*(batch[key] for key in ("tok", "slot", "edge_index", "edge_rel")))
    return model.encoder(x, ChainStructure.of(batch)._replace(mask=batch["place_mask"]))


def fixed_layout(chains: list[LeafyChainData], pad_id: int, device: str) -> dict[str, Tensor]:
    """A batch of chains at fixed positions; ``real`` are the positions that hold a node."""
    fixed = FixedLayout()
    n, graphs = fixed.positions, len(chains)
    leaf_places = torch.arange(fixed.roots).repeat_interleave(fixed.leaves)
    every = {
        "tok": torch.full((graphs, n), pad_id),
        "root": torch.cat((torch.arange(fixed.roots), leaf_places)).repeat(graphs, 1),
        "group": torch.full((graphs, n), -1),
        "slot": torch.cat(
            (torch.full((fixed.roots,), -1), torch.arange(fixed.leaves).repeat(fixed.roots))
        ).repeat(graphs, 1),
    }
    real, edges, rels, targets, labels = [], [], [], [], []
    for g, chain in enumerate(chains):
        root, slot = chain["root"], chain["slot"]
        place = torch.where(slot < 0, root, fixed.roots + fixed.leaves * root + slot)
        for key in ("tok", "group"):
            every[key][g, place] = chain[key]
        real.append(g * n + place)
        edges.append(g * n + place[chain["edge_index"]])
        rels.append(chain["edge_rel"])
        targets.append(g * n + place[chain["mlm_index"]])
        labels.append(chain["mlm_label"])
    batch = {key: value.flatten() for key, value in every.items()}
    batch |= {
        "batch": torch.arange(graphs).repeat_interleave(n),
        "real": torch.cat(real),
        "edge_index": torch.cat(edges, dim=1),
        "edge_rel": torch.cat(rels),
        "mlm_index": torch.cat(targets),
        "mlm_label": torch.cat(labels),
    }
    holds_node = torch.zeros(graphs * n, dtype=torch.bool).index_fill(0, batch["real"], True)
    batch["place_mask"] = holds_node.view(graphs, n)
    return {key: value.to(device) for key, value in batch.items()}


def fixed_loss(model: GraphMER, batch: dict[str, Tensor]) -> Tensor:
    """Loss of the masked roots."""
    states = fixed_states(model, batch)
    return token_loss(model.token_logits(states[batch["mlm_index"]]), batch["mlm_label"])
