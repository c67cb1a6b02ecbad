"""How often names answer a relation: counted in train, and learned from their embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphmer_geo.nn.hashing import mix, sequence_hash
from graphmer_geo.nn.mentions import last_components
from graphmer_geo.nn.names import Names

_HASHES = 2
#: Weights of counts are kept divided by this, see LOG_GAIN in names.py.
_GAIN = 5.0
_INITIAL = (1.0, 0.3)  # whole names, last components


class NamePopularity(nn.Module):
    r"""A score of (relation, candidate) that does not look at the query.

    .. math::
        \mathrm{pop}(r, c) = \mathbf{u}_r^\top \mathbf{P} \mathbf{e}_c
        + (w_1 + w_{r1}) \log(1 + n_r(\mathrm{name}_c)) + (w_2 + w_{r2}) \log(1 + n_r(\mathrm{last}_c))

    The first term is low rank and generalises to new names by their tokens. The others are frequencies of
    whole names and of their last components, kept from :meth:`count` in a count-min sketch (minimum over two
    hashes); before it is called they are 0. In training, the true tail's own count is left out (one is
    subtracted), or the model would learn that right answers have always been seen before.

    Args:
        channels: size of an entity vector.
        num_relations: number of relations.
        rank: rank of the learned term.
        buckets: buckets of a hash.
    """

    counts: Tensor

    def __init__(self, channels: int, num_relations: int, rank: int = 64, buckets: int = 4096) -> None:
        super().__init__()
        self.buckets = buckets
        self.relation = nn.Parameter(torch.empty(num_relations, rank))
        self.entity = nn.Parameter(torch.empty(rank, channels))
        self.count_weight = nn.Parameter(torch.empty(2))
        self.relation_weight = nn.Parameter(torch.empty(num_relations, 2))
        # [whole name or last component, relation, hash, bucket]
        self.register_buffer("counts", torch.zeros(2, num_relations, _HASHES, buckets))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draws the learned term near 0, weighs whole names 1 and last components 0.3, forgets counts."""
        self.counts.zero_()
        nn.init.normal_(self.relation, std=0.02)
        nn.init.normal_(self.entity, std=self.entity.size(1) ** -0.5)
        self.count_weight.copy_(torch.tensor(_INITIAL) / _GAIN)
        nn.init.zeros_(self.relation_weight)

    @torch.no_grad()
    def count(self, relation: Tensor, name: Tensor, names: Names, separator: Tensor) -> None:
        """Replaces the counts by those of (relation, tail) pairs of the training split.

        Args:
            relation: ``[m]`` relation of each pair. Counting each pair once per code base (not once per
                triple) keeps one large code base from dominating.
            name: ``[m]`` index into ``names`` of its tail.
            names: names of the tails.
            separator: ``[V]`` true for tokens that end a name component.
        """
        self.counts.zero_()
        for counts, bucket in zip(self.counts, self._buckets(names, separator), strict=True):
            for hash_, column in enumerate(bucket[name].unbind(-1)):
                flat = relation * _HASHES * self.buckets + hash_ * self.buckets + column
                counts.view(-1).index_add_(0, flat, torch.ones_like(flat, dtype=counts.dtype))

    def forward(
        self, relation: Tensor, entity: Tensor, names: Names, separator: Tensor, target: Tensor | None = None
    ) -> Tensor:
        """Scores all candidates for the relation of each query.

        Args:
            relation: ``[q]`` relation of each query.
            entity: ``[C, channels]`` entity vectors.
            names: the C names.
            separator: ``[V]`` true for tokens that end a name component.
            target: ``[q]`` true candidate, in training.

        Returns:
            ``[q, C]``.
        """
        scores = self.relation[relation] @ (entity @ self.entity.t()).t()
        weight = (_GAIN * (self.count_weight + self.relation_weight[relation])).unsqueeze(-1)
        for which, bucket in enumerate(self._buckets(names, separator)):
            counts = self.counts[which][relation]  # [q, hashes, buckets]
            first, second = (counts[:, k].index_select(1, bucket[:, k]) for k in range(_HASHES))
            seen = torch.minimum(first, second)
            if target is not None:
                own = seen.new_full((target.numel(), 1), -1.0)
                seen = seen.scatter_add(1, target.unsqueeze(1), own).clamp(min=0)
            scores = scores + weight[:, which] * seen.log1p()
        return scores

    def _buckets(self, names: Names, separator: Tensor) -> tuple[Tensor, Tensor]:
        """Buckets ``[C, hashes]`` of the whole names and of their last components."""
        kept, ptr = last_components(names.tok, names.ptr, separator)
        return self._hash(names.tok, names.ptr), self._hash(names.tok[kept], ptr)

    def _hash(self, tok: Tensor, ptr: Tensor) -> Tensor:
        hashes = [mix(sequence_hash(tok, ptr, seed), 0) for seed in range(_HASHES)]
        return torch.stack(hashes, dim=-1).remainder(self.buckets)
