"""The queries of a batch against candidate entities: the objective in training, and many scores in blocks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from graphmer_geo.models.output import Objective
from graphmer_geo.nn import EntityRankingHead, Names, QueryContext, sampled_softmax_loss

#: Scores computed at once by :func:`score_in_blocks`; bounds its memory to a few hundred MB.
BLOCK = 4_000_000


def query_context(batch: Mapping[str, Tensor], states: Tensor) -> QueryContext:
    """The queries of a batch, with its words as they stand in the source.

    The words of head and chunk are compared unmasked: the encoder has not seen them, and at evaluation
    nothing is masked. Leaves stay masked.
    """
    tok = batch["tok"]
    if "mlm_index" in batch:
        tok = tok.index_copy(0, batch["mlm_index"], batch["mlm_label"])
    place = (batch[key] for key in ("slot", "batch", "ptr", "edge_index"))
    return QueryContext(batch["rank_index"], batch["rank_rel"], states, tok, *place)


def rank_objective(
    head: EntityRankingHead, batch: Mapping[str, Tensor], states: Tensor, embedding: Tensor
) -> Objective:
    """Loss over the candidates that came with the batch; ``embedding`` is the weight of the tokens'."""
    names = Names(batch["cand_tok"], batch["cand_ptr"], batch["cand_kind"])
    target = batch["rank_target"]
    allowed, log_q, near = (
        batch[key] if key in batch else None for key in ("rank_allowed", "cand_log_q", "rank_near")
    )
    entity = head.entity_vectors(names, embedding)
    own = target if head.training else None
    scores = head(query_context(batch, states), names, entity, own, near)
    if allowed is not None:
        scores = scores.masked_fill(~allowed.scatter(1, target.unsqueeze(1), True), float("-inf"))
    return Objective(sampled_softmax_loss(scores, target, log_q), scores, target)


def score_in_blocks(
    head: EntityRankingHead,
    context: QueryContext,
    names: Names,
    entity: Tensor,
    near: Tensor | None = None,
) -> Tensor:
    """Scores ``[q, C]`` of all names, whose vectors are ``entity`` ``[C, channels]``."""
    count = names.ptr.numel() - 1
    block = max(1, BLOCK // max(1, context.node.numel()))
    parts = []
    for start in range(0, count, block):
        stop = min(start + block, count)
        levels = None if near is None else near[:, start:stop]
        parts.append(head(context, names.part(start, stop), entity[start:stop], None, levels))
    return torch.cat(parts, dim=1) if parts else entity.new_zeros(context.node.numel(), 0)
