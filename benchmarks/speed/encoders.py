"""The encoders that are compared, each as a training step on the same batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.utils import to_dense_batch
from transformers import RobertaConfig, RobertaForMaskedLM

from graphmer_geo.models import GraphMER, GraphMERConfig

Batch = dict[str, Tensor]
#: Ranking has no counterpart in a language model: these keys are left out where one is compared.
RANKING = ("rank_", "cand")


def without_ranking(batch: Batch) -> Batch:
    """The batch with tokens to predict only."""
    return {key: value for key, value in batch.items() if not key.startswith(RANKING)}


def roberta(config: GraphMERConfig, positions: int) -> RobertaForMaskedLM:
    """Hugging Face's encoder of the same dimensions and dropout, with its fused attention."""
    return RobertaForMaskedLM(
        RobertaConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            intermediate_size=config.ffn_size,
            max_position_embeddings=positions + config.pad_id + 1,
            hidden_dropout_prob=config.dropout,
            attention_probs_dropout_prob=config.attention_dropout,
            pad_token_id=config.pad_id,
            attn_implementation="sdpa",
        )
    )


def roberta_loss(model: RobertaForMaskedLM, batch: Batch) -> Tensor:
    """Its loss on the roots and leaves of a batch, padded to the longest; only masked tokens are scored."""
    tokens, mask = to_dense_batch(batch["tok"], batch["batch"], fill_value=model.config.pad_token_id)
    states = model.roberta(tokens, attention_mask=mask.long())[0].flatten(0, 1)
    node = mask.flatten().nonzero().squeeze(1)
    where = torch.cat((batch["mlm_index"], batch["mnm_index"]))
    labels = torch.cat((batch["mlm_label"], batch["mnm_label"]))
    return F.cross_entropy(model.lm_head(states[node[where]]).float(), labels)


class Step:
    """A model with its optimiser (AdamW, fused) and a loss."""

    def __init__(
        self, model: nn.Module, loss: Callable[[Batch], Tensor], device: str, bf16: bool = False
    ) -> None:
        self.model, self.loss, self.device, self.bf16 = model.train(), loss, device, bf16
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)

    def __call__(self, batch: Batch) -> None:
        """Forward, backward, update."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            loss = self.loss(batch)
        loss.backward()
        self.optimizer.step()


def our_step(config: GraphMERConfig, device: str, seed: int) -> Step:
    """GraphMER, with every objective whose targets are in the batch."""
    torch.manual_seed(seed)
    model = GraphMER(config).to(device)
    return Step(model, lambda batch: model(batch).loss, device)


def roberta_step(config: GraphMERConfig, device: str, seed: int, positions: int) -> Step:
    """RoBERTa on the same tokens."""
    torch.manual_seed(seed)
    model = roberta(config, positions).to(device)
    return Step(model, lambda batch: roberta_loss(model, batch), device)


def setting(config: GraphMERConfig, step: Step) -> dict[str, Any]:
    """What a reader must know of the models."""
    return {
        "sizes": [config.hidden_size, config.num_layers, config.num_heads, config.ffn_size],
        "dropout": config.dropout,
        "attention_dropout": config.attention_dropout,
        "vocabulary": config.vocab_size,
        "parameters": sum(p.numel() for p in step.model.parameters()),
        "optimizer": "AdamW, fused",
    }
