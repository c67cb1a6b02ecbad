"""GraphMER: an encoder of leafy chains with masked-token, masked-node and entity-ranking heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphmer_geo.errors import UserError
from graphmer_geo.models.checkpoint import HubMixin, load_model, model_folder, save_model
from graphmer_geo.models.config import GraphMERConfig
from graphmer_geo.models.output import GraphMEROutput, Objective
from graphmer_geo.models.ranking import query_context, rank_objective, score_in_blocks
from graphmer_geo.nn import (
    ChainStructure,
    EntityRankingHead,
    LeafyChainEmbedding,
    LeafyChainEncoder,
    LMHead,
    Names,
    OutputTransform,
    SpanBoundaryHead,
    token_loss,
)
from graphmer_geo.nn.search import Bags, SearchHead

#: What counts as a target of each objective: an entry of this key of a batch.
TARGETS = {
    "mlm": "mlm_label",
    "mnm": "mnm_label",
    "rank": "rank_target",
    "sbo": "mlm_place",
    "search": "pair_target",
}


class GraphMER(nn.Module, HubMixin):
    r"""Token embedding with H-GAT fusion, transformer, and heads.

    .. math::
        L = \lambda L_\mathrm{MLM} + \mu L_\mathrm{MNM} + \nu L_\mathrm{rank} + \sigma L_\mathrm{SBO},

    each a mean over its own targets. After GraphMERT (arXiv 2510.09580); what differs is said at each layer.

    A batch is a mapping of tensors, as :class:`~graphmer_geo.data.LeafyChainData` batches: ``tok``, ``root``,
    ``group``, ``slot``, ``batch``, ``edge_index``, ``edge_rel``, ``ptr``, and the targets that are there
    (``mlm_index``/``mlm_label``, with ``mlm_left_index``/``mlm_right_index``/``mlm_place`` also for SBO;
    ``mnm_index``/``mnm_label``, ``rank_index``/``rank_rel`` with candidates
    ``cand_tok``/``cand_ptr``/``cand_kind``/``cand_log_q``/``rank_target``/``rank_allowed`` and, to rank by
    nearness, ``rank_near``). To learn to search: graphs of n queries, then of n functions, their words
    ``query_row``/``query_word``/``query_field``/``query_times`` and ``code_…`` likewise, and ``pair_target``.

    Args:
        config: sizes and switches.
    """

    def __init__(self, config: GraphMERConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = LeafyChainEmbedding(
            config.vocab_size,
            config.hidden_size,
            config.num_relations,
            num_bases=config.num_bases,
            max_slots=0 if config.positions == "none" else config.max_slots,
            dropout=config.dropout,
            relation_dropout=config.relation_dropout,
            hgat=config.hgat,
            relation_embedding=config.relation_embedding,
        )
        self.encoder = LeafyChainEncoder(
            config.hidden_size,
            config.num_layers,
            config.num_heads,
            config.ffn_size,
            num_relations=config.num_relations,
            dropout=config.dropout,
            attention_dropout=config.attention_dropout,
            decay=config.decay,
            decay_lambda=config.decay_lambda,
            decay_offset=config.decay_offset,
            decay_per_head=config.decay_per_head,
            leaf_edges=config.leaf_edges,
            positions=config.positions,
            pre_norm=config.pre_norm,
            relation_bias=config.relation_bias,
            hgat_every=config.hgat_every,
            num_bases=config.num_bases,
            relation_dropout=config.relation_dropout,
        )
        self.output_transform = self.sbo_head = self.ranking_head = self.search_head = None
        if config.output_transform:
            self.output_transform = OutputTransform(config.hidden_size, config.hidden_size)
        self.lm_head = LMHead(config.hidden_size, config.vocab_size)
        if config.sbo:
            self.sbo_head = SpanBoundaryHead(config.hidden_size, config.vocab_size, config.max_span)
        if config.ranking:
            self.ranking_head = EntityRankingHead(
                config.hidden_size,
                config.vocab_size,
                config.num_relations,
                config.num_entity_kinds,
                lexical_features=config.lexical_features,
                popularity=config.popularity,
                buckets=config.popularity_buckets,
                proximity=config.proximity,
            )
        self._draw_linear_layers()
        if config.search_buckets:
            self.search_head = SearchHead(config.hidden_size, config.vocab_size, config.search_buckets)

    def reset_parameters(self) -> None:
        """Draws all parameters anew; linear layers of trunk and token heads from N(0, 0.02)."""
        parts: tuple[Any, ...] = (self.embedding, self.encoder, *self._token_heads(), self.ranking_head)
        for part in parts:
            if part is not None:
                part.reset_parameters()
        self._draw_linear_layers()
        if self.search_head is not None:
            self.search_head.reset_parameters()

    def _token_heads(self) -> tuple[nn.Module | None, ...]:
        return self.output_transform, self.lm_head, self.sbo_head

    def _draw_linear_layers(self) -> None:
        for part in (self.encoder, *self._token_heads()):
            for module in part.modules() if part is not None else ():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, std=0.02)
                    nn.init.zeros_(module.bias)

    def encode(self, batch: Mapping[str, Tensor]) -> Tensor:
        """States of all nodes, ``[n, hidden_size]``, in the order of ``batch["tok"]``."""
        x = self.embedding(batch["tok"], batch["slot"], batch["edge_index"], batch["edge_rel"])
        return self.encoder(x, ChainStructure.of(batch))

    def forward(
        self, batch: Mapping[str, Tensor], totals: Mapping[str, Tensor] | None = None
    ) -> GraphMEROutput:
        """Losses of the objectives whose targets are in the batch.

        An objective that is in the batch with no targets contributes 0, so its parameters get zero gradients.

        Args:
            batch: see the class.
            totals: numbers of targets (:data:`TARGETS`) that the loss is a mean over, where this batch is a
                part of a larger one: the losses of the parts add up to that of the whole. Default: its own.
        """
        states = self.encode(batch)
        found: dict[str, Objective] = {}
        for name in ("mlm", "mnm"):
            if f"{name}_index" in batch:
                logits = self.token_logits(states[batch[f"{name}_index"]])
                found[name] = _token_objective(logits, batch[f"{name}_label"])
        if self.sbo_head is not None and "mlm_place" in batch:
            found["sbo"] = _token_objective(self.span_logits(states, batch), batch["mlm_label"])
        if self.ranking_head is not None and "rank_index" in batch and "rank_target" in batch:
            found["rank"] = rank_objective(self.ranking_head, batch, states, self.embedding.token.weight)
        if "pair_target" in batch:
            found["search"] = self._search_objective(batch, states)
        weights = {name: getattr(self.config, f"{name}_weight") for name in found if name != "search"}
        weights["search"] = 1.0  # learnt alone
        return GraphMEROutput.of(found, weights, states.new_zeros(()), totals)

    def _search_objective(self, batch: Mapping[str, Tensor], states: Tensor) -> Objective:
        """Each query among the functions of the batch, and each function among its queries."""
        target = batch["pair_target"]
        is_code = torch.arange(batch["ptr"].numel() - 1, device=target.device) >= target.numel()
        vectors = self.search_vectors(batch, states, is_code)
        words = (word_bags(batch, side, target.numel()) for side in ("query", "code"))
        scores = self.searcher(vectors[~is_code], vectors[is_code], *words)
        loss = (F.cross_entropy(scores, target) + F.cross_entropy(scores.t(), target)) / 2
        return Objective(loss, scores, target)

    @property
    def searcher(self) -> SearchHead:
        """The search head.

        Raises:
            UserError: this model has none.
        """
        if self.search_head is None:
            raise UserError("this model has no head for search; make one with `graphmer finetune RUN`")
        return self.search_head

    def search_vectors(self, batch: Mapping[str, Tensor], states: Tensor, is_code: Tensor) -> Tensor:
        """Vectors ``[G, hidden_size]`` of a batch's graphs; ``is_code`` ``[G]``: functions, not queries."""
        weight = self.embedding.token.weight
        return self.searcher.vectors(states, batch["tok"], batch["batch"], weight, is_code)

    def token_logits(self, states: Tensor) -> Tensor:
        """Vocabulary logits ``[k, vocab_size]`` of states ``[k, hidden_size]``."""
        if self.output_transform is not None:
            states = self.output_transform(states)
        return self.lm_head(states, self.embedding.token.weight)

    def span_logits(self, states: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Vocabulary logits ``[k, vocab_size]`` of masked roots from the boundaries of their spans."""
        if self.sbo_head is None:
            raise UserError("this model has no span-boundary head; configure it with sbo=true")
        sides = [states[batch[f"mlm_{side}_index"]] for side in ("left", "right")]
        if self.output_transform is not None:
            sides = [self.output_transform(side) for side in sides]
        return self.sbo_head(*sides, batch["mlm_place"])

    @property
    def ranker(self) -> EntityRankingHead:
        """The ranking head.

        Raises:
            UserError: this model has none.
        """
        if self.ranking_head is None:
            raise UserError("this model ranks no entities; configure it with ranking=true")
        return self.ranking_head

    def entity_embeddings(self, tok: Tensor, ptr: Tensor, kind: Tensor) -> Tensor:
        """Vectors ``[C, hidden_size]`` of entities, by name tokens (``tok[ptr[c]:ptr[c + 1]]``) and kind."""
        return self.ranker.entity_vectors(Names(tok, ptr, kind), self.embedding.token.weight)

    def rank_scores(self, states: Tensor, rel: Tensor, cand_emb: Tensor) -> Tensor:
        """Semantic scores ``[q, C]`` of masked leaves' states ``[q, D]``; :meth:`rank` adds the rest."""
        return self.ranker.similarity(self.ranker.query_vectors(states, rel), cand_emb)

    @torch.no_grad()
    def rank(
        self,
        batch: Mapping[str, Tensor],
        cand_tok: Tensor,
        cand_ptr: Tensor,
        cand_kind: Tensor,
        cand_emb: Tensor | None = None,
        near: Tensor | None = None,
    ) -> Tensor:
        """Scores thousands of candidates for the queries of a batch, without gradients and in blocks.

        Args:
            batch: with ``rank_index`` and ``rank_rel``.
            cand_tok: ``[T]`` name tokens of the candidates, flat.
            cand_ptr: ``[C + 1]`` where each name begins in ``cand_tok``.
            cand_kind: ``[C]`` kinds.
            cand_emb: ``[C, hidden_size]`` of :meth:`entity_embeddings`, if there are several batches to rank;
                made here otherwise.
            near: ``[q, C]`` how near to the head each candidate is declared
                (:class:`~graphmer_geo.nn.proximity.Proximity`); without it, nearness counts for nothing.

        Returns:
            ``[q, C]`` float32; higher is better. Nothing is masked: restrict to admissible candidates
            afterwards.
        """
        names = Names(cand_tok, cand_ptr, cand_kind)
        if cand_emb is None:
            cand_emb = self.entity_embeddings(*names)
        context = query_context(batch, self.encode(batch))
        return score_in_blocks(self.ranker, context, names, cand_emb, near)

    @torch.no_grad()
    def fit_statistics(self, tokens: Sequence[bytes], names: Names, relation: Tensor, tail: Tensor) -> None:
        """Gives the ranking head what can be counted instead of learned; call it once, before training.

        Args:
            tokens: bytes of each token id; they tell which tokens are spellings of one, and where words and
                name components end.
            names: names of entities of the *training* split, for inverse document frequencies.
            relation: ``[m]`` relation of (relation, tail) pairs asserted in the training split, both
                directions; give each pair once per code base, so that no large one dominates the counts.
            tail: ``[m]`` their tails, as indices into ``names``.
        """
        head = self.ranker
        head.salience.set_vocabulary(tokens)
        head.salience.set_document_frequency(names)
        if head.popularity is not None:
            head.popularity.count(relation, tail, names, head.salience.separator)

    def num_parameters_by_part(self) -> dict[str, int]:
        """Numbers of parameters of embeddings, trunk, relation (H-GAT, vectors, biases, decay) and heads."""
        parts = dict.fromkeys(("embeddings", "trunk", "relation", "heads"), 0)
        for name, parameter in self.named_parameters():
            parts[_part_of(name)] += parameter.numel()
        return parts

    def save_pretrained(
        self,
        save_directory: str | Path,
        *,
        dtype: torch.dtype | None = None,
        max_shard_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Writes weights and ``config.json``, and what else was in the folder this model was read from.

        Args:
            save_directory: where to.
            dtype: of the saved parameters; default: as they are.
            max_shard_size: bytes of one weights file; default: all in ``model.safetensors``.
            kwargs: of the Hub's mixin, whose ``push_to_hub`` calls this; not used.
        """
        save_model(self, self.config, Path(save_directory), dtype=dtype, max_shard_size=max_shard_size)

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        relation_map: Mapping[str, int] | None = None,
        vocab_size: int | None = None,
        ontology_version: str | None = None,
        tokenizer_hash: str | None = None,
    ) -> Self:
        """Reads a model from a folder, in evaluation mode; refuses what is missing, left over or misshapen.

        Args:
            pretrained_model_name_or_path: folder of :meth:`save_pretrained`, or ``owner/name`` on the Hub.
            relation_map: relations of the data it is to be used with; like the following, refused if it
                differs.
            vocab_size: size of that data's vocabulary.
            ontology_version: version of that data's ontology.
            tokenizer_hash: hash of that data's tokenizer.

        Raises:
            UserError: if the folder is not a saved model, is damaged, or does not fit the data.
        """
        expected = {
            "relation_map": relation_map,
            "vocab_size": vocab_size,
            "ontology_version": ontology_version,
            "tokenizer_hash": tokenizer_hash,
        }
        return load_model(cls, model_folder(pretrained_model_name_or_path), expected)


def _token_objective(logits: Tensor, labels: Tensor) -> Objective:
    logits = logits.float()
    return Objective(token_loss(logits, labels), logits, labels)


def word_bags(batch: Mapping[str, Tensor], side: str, rows: int) -> Bags:
    """The words of the queries ("query") or functions ("code") of a batch."""
    row, word, field, times = (batch[f"{side}_{name}"] for name in ("row", "word", "field", "times"))
    return Bags(row, word, field, times, rows)


def _part_of(name: str) -> str:
    if name.startswith(("embedding.hgat", "embedding.relation", "encoder.bias", "encoder.convs")):
        return "relation"
    return {"embedding": "embeddings", "encoder": "trunk"}.get(name.split(".")[0], "heads")
