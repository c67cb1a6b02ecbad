"""Configuration of GraphMER."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from graphmer_geo.errors import UserError


@dataclass(frozen=True)
class GraphMERConfig:
    """Everything that determines the shapes and the mathematics of a :class:`~graphmer_geo.models.GraphMER`.

    The default is the base size, 768/12/12/3072: 12 layers of 7.09 M parameters, with embeddings, relation
    parameters and heads beside them. :meth:`small` trains on a laptop CPU.
    """

    vocab_size: int = 16_000
    """Number of tokens."""
    num_relations: int = 64
    """Number of relation ids, 0 ("none") and inverses included."""
    num_entity_kinds: int = 32
    """Number of entity kinds."""
    hidden_size: int = 768
    """Size of a state and of a token embedding."""
    num_layers: int = 12
    """Transformer layers."""
    num_heads: int = 12
    """Attention heads."""
    ffn_size: int = 3072
    """Width of the feed-forward networks."""
    dropout: float = 0.1
    """Dropout of embeddings and residual branches."""
    attention_dropout: float = 0.0
    """Dropout of attention weights (0.1 in the paper; drawing it costs a good part of a step on CPU)."""
    relation_dropout: float = 0.3
    """Dropout of the relation parameters of H-GAT."""
    num_bases: int | None = 8
    """Matrices that the relations of H-GAT share; null gives each its own."""
    hgat: bool = True
    """Fuse leaves with their heads by H-GAT."""
    relation_embedding: bool = True
    """Add a vector per relation to its leaves."""
    relation_bias: bool = True
    """Bias attention between leaves and their head tokens, per relation."""
    decay: Literal["additive", "multiplicative", "none"] = "additive"
    """How attention decays with distance."""
    decay_lambda: float = 0.6
    """Base of the decay."""
    decay_offset: int = 1
    """Added to the distance under the root of the decay: 1 (the authors' code) or 0 (their text)."""
    decay_per_head: bool = True
    """A learnable decay for each attention head, or one for all."""
    leaf_edges: Literal["star", "path"] = "star"
    """Whether neighbouring leaves of a tail are joined."""
    positions: Literal["rope", "none"] = "rope"
    """Rotary positions of roots and slot embeddings of leaves, or neither, as in the paper."""
    hgat_every: int = 0
    """Run H-GAT over chain and leaf edges also after every so many layers; 0: fusion only."""
    output_transform: bool = False
    """Give token heads LN(GELU(Linear(state))) to read, as in the paper."""
    sbo: bool = False
    """Predict masked spans also from their boundaries, with a decoder of its own."""
    max_span: int = 7
    """Places in a span with a vector of their own."""
    ranking: bool = True
    """Rank entities at masked leaves (not in the paper)."""
    pre_norm: bool = True
    """Pre-LN with a final LayerNorm; false: post-LN, as in the paper."""
    max_slots: int = 16
    """Leaves of a tail with a slot embedding of their own."""
    lexical_features: bool = True
    """Rank entities also by tokens shared with head and chunk."""
    popularity: bool = True
    """Rank entities also by how often their name answers the relation."""
    popularity_buckets: int = 4096
    """Buckets of the name counts."""
    proximity: bool = True
    """Rank entities also by how near to the head they are declared."""
    search_buckets: int = 0
    """Buckets of the words that queries and functions share; 0: no head for search, which `graphmer finetune`
    adds."""
    mlm_weight: float = 1.0
    """Weight of the masked-token loss."""
    mnm_weight: float = 1.0
    """Weight of the masked-node loss (the paper's mu)."""
    rank_weight: float = 1.0
    """Weight of the ranking loss (nu)."""
    sbo_weight: float = 1.0
    """Weight of the span-boundary loss."""
    pad_id: int = 0
    """Id of the padding token."""
    mask_id: int = 2
    """Id of the mask token."""
    ontology_version: str = ""
    """Version of the ontology that the relations come from."""
    tokenizer_hash: str = ""
    """Hash of the tokenizer file, to refuse another one."""
    relation_map: Mapping[str, int] = field(default_factory=dict)
    """Relation name to id; empty if unnamed."""
    entity_kinds: tuple[str, ...] = ()
    """Names of the entity kinds, by id; empty if unnamed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "entity_kinds", tuple(self.entity_kinds))
        object.__setattr__(
            self, "relation_map", dict(sorted(self.relation_map.items(), key=lambda item: item[1]))
        )
        positive = (
            "vocab_size",
            "num_relations",
            "num_entity_kinds",
            "hidden_size",
            "num_layers",
            "num_heads",
        )
        for name in (*positive, "ffn_size", "max_slots", "max_span", "popularity_buckets"):
            if getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)}; it must be at least 1")
        if self.hidden_size % self.num_heads:
            raise UserError(f"hidden_size={self.hidden_size} is not divisible by num_heads={self.num_heads}")
        if self.positions == "rope" and self.hidden_size // self.num_heads % 2:
            raise UserError(
                f"positions=rope needs an even size per head, not {self.hidden_size // self.num_heads}; "
                "change hidden_size or num_heads"
            )
        if self.search_buckets < 0:
            raise UserError(f"search_buckets={self.search_buckets}; it must not be negative")
        for name in ("dropout", "attention_dropout", "relation_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)}; choose a value in [0, 1)")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                listed = ", ".join(map(str, choices))
                raise UserError(f"{name}={getattr(self, name)!r}; choose one of {listed}")
        if not 0 <= self.hgat_every <= self.num_layers:
            raise UserError(f"hgat_every={self.hgat_every}; choose 0 … num_layers={self.num_layers}")
        highest = max(self.relation_map.values(), default=0)
        if highest >= self.num_relations:
            raise UserError(
                f"relation_map has id {highest}, but num_relations={self.num_relations}; raise it"
            )
        if len(self.entity_kinds) > self.num_entity_kinds:
            raise UserError(
                f"{len(self.entity_kinds)} entity_kinds, but num_entity_kinds={self.num_entity_kinds}"
            )

    @classmethod
    def base(cls, **changes: Any) -> Self:
        """768/12/12/3072: 85 M parameters in the trunk."""
        return cls(**changes)

    @classmethod
    def small(cls, **changes: Any) -> Self:
        """256/4/4/1024: 3.2 M parameters in the trunk, for a CPU."""
        sizes: dict[str, Any] = {"hidden_size": 256, "num_layers": 4, "num_heads": 4, "ffn_size": 1024}
        return cls(**(sizes | changes))

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """GraphMERT as published: 12 layers of 512/8/2048, and nothing that its authors did not have.

        Where paper and code differ, this is the code: ``decay_offset=1`` and ``leaf_edges="path"`` (the text
        has 0, a figure a star). With the published 30,522 tokens and 30 relation rows it has 78.62 M
        parameters. Its chains are those of :meth:`graphmer_geo.data.ChainConfig.paper`.
        """
        published: dict[str, Any] = {
            "vocab_size": 30_522,
            "num_relations": 30,
            "hidden_size": 512,
            "num_layers": 12,
            "num_heads": 8,
            "ffn_size": 2048,
            "attention_dropout": 0.1,
            "num_bases": None,
            "relation_embedding": False,
            "relation_bias": False,
            "decay": "multiplicative",
            "leaf_edges": "path",
            "positions": "none",
            "pre_norm": False,
            "output_transform": True,
            "sbo": True,
            "ranking": False,
        }
        return cls(**(published | changes))

    def to_dict(self) -> dict[str, Any]:
        """All fields, of JSON types."""
        return dataclasses.asdict(self) | {"entity_kinds": list(self.entity_kinds)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`.

        Raises:
            UserError: on a key that is not a field, or a value out of range.
        """
        unknown = sorted(values.keys() - {item.name for item in dataclasses.fields(cls)})
        if unknown:
            raise UserError(f"unknown model settings {', '.join(unknown)}; remove them or fix their spelling")
        return cls(**values)

    def save(self, path: str | Path) -> None:
        """Writes JSON."""
        Path(path).write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads JSON.

        Raises:
            UserError: if there is no such file, or it is not a configuration.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(
                f"cannot read {path}: {error.strerror}; give the folder of a saved model"
            ) from error
        except ValueError as error:
            raise UserError(f"{path} is not JSON ({error}); save the model again") from error
        if not isinstance(values, dict):
            raise UserError(f"{path} holds a {type(values).__name__}, not an object; save the model again")
        return cls.from_dict(values)


_CHOICES: dict[str, tuple[Any, ...]] = {
    "decay": ("additive", "multiplicative", "none"),
    "decay_offset": (0, 1),
    "leaf_edges": ("star", "path"),
    "positions": ("rope", "none"),
}
