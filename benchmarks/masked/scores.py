"""How well masked tokens are predicted: by encoders, with what leaves they may see, and by counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.masked.classes import CLASSES, Classified
from graphmer_geo.data import ChainConfig
from graphmer_geo.data.dataset import Transform
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.inference.questions import masked_batches
from graphmer_geo.metrics import TokenNGrams, token_contexts
from graphmer_geo.models import GraphMER
from graphmer_geo.transforms import HideTelling

Batch = dict[str, torch.Tensor]
#: Counted probabilities held at once.
_BLOCK = 1024


@dataclass(frozen=True)
class Masked:
    """The same masked tokens for every predictor."""

    folder: DataFolder
    split: str
    seed: int
    limit: int | None

    def batches(self, leaves: str) -> Iterator[Batch]:
        """Masked chunks with "all" leaves, with those that "tell nothing" of what is masked, or with "none".

        What is masked where is the same in each case.
        """
        chain = ChainConfig(leaves=leaves != "none")
        then: tuple[Transform, ...] = ()
        if leaves == "tell nothing":
            tokenizer = self.folder.tokenizer
            then = (HideTelling(tokenizer.table, tokenizer.token_bytes),)
        yield from masked_batches(self.folder, self.split, chain, seed=self.seed, limit=self.limit, then=then)


@dataclass(frozen=True)
class Predicted:
    """Of every masked token: the natural logarithm of its probability, and the rank of the true one."""

    log_p: np.ndarray
    rank: np.ndarray  # 1 is best

    def by_class(self, classes: np.ndarray) -> dict[str, dict[str, float]]:
        """Class (and "all") -> top-1, top-5, perplexity and count; classes without a token are left out."""
        groups = {"all": np.ones(len(classes), bool)}
        groups |= {name: classes == number for number, name in enumerate(CLASSES)}
        return {
            name: {
                "top-1": float((self.rank[rows] <= 1).mean()),
                "top-5": float((self.rank[rows] <= 5).mean()),
                "perplexity": float(np.exp(-self.log_p[rows].mean())),
                "count": int(rows.sum()),
            }
            for name, rows in groups.items()
            if rows.any()
        }


@torch.no_grad()
def by_model(model: GraphMER, batches: Iterator[Batch]) -> Predicted:
    """What an encoder makes of the masked tokens."""
    device = next(model.parameters()).device
    log_p, rank = [], []
    for batch in batches:
        moved = {name: value.to(device) for name, value in batch.items()}
        logits = model.token_logits(model.encode(moved)[moved["mlm_index"]]).float()
        true = logits.gather(1, moved["mlm_label"][:, None])  # [K, 1]
        log_p.append((true[:, 0] - logits.logsumexp(1)).cpu().numpy())
        rank.append(1 + (logits > true).sum(1).cpu().numpy())
    return Predicted(np.concatenate(log_p), np.concatenate(rank))


def by_counts(batches: Iterator[Batch], ngrams: TokenNGrams) -> dict[str, Predicted]:
    """What token frequencies and the contexts of two tokens on either side make of them."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"unigram": [], "n-gram": []}
    for batch in batches:
        around, label = contexts_of_masked(batch, ngrams.special[0]), batch["mlm_label"].numpy()
        for start in range(0, len(label), _BLOCK):
            part = slice(start, start + _BLOCK)
            p = ngrams.probabilities(around[part])
            found["n-gram"].append(_of_true(p, label[part]))
            found["unigram"].append(_of_true(np.broadcast_to(ngrams.unigram, p.shape), label[part]))
    return {name: Predicted(*map(np.concatenate, zip(*parts, strict=True))) for name, parts in found.items()}


def contexts_of_masked(batch: Batch, pad: int) -> np.ndarray:
    """Contexts ``[K, 4]`` of the masked tokens of a batch."""
    tok, ptr, slot = (batch[name].numpy() for name in ("tok", "ptr", "slot"))
    index = batch["mlm_index"].numpy()
    graph = batch["batch"].numpy()[index]
    parts = []
    for number in np.unique(graph).tolist():
        first, last = ptr[number : number + 2]
        roots = tok[first:last][slot[first:last] < 0]
        parts.append(token_contexts(roots, index[graph == number] - first, pad))
    return np.concatenate(parts) if parts else np.zeros((0, 4), np.int64)


def _of_true(p: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    true = np.take_along_axis(p, label[:, None], 1)
    return np.log(true[:, 0]), 1 + (p > true).sum(1)


def classes_of_masked(batches: Iterator[Batch], classified: Classified) -> np.ndarray:
    """Class of every masked token, in the order of the predictions."""
    found = [np.zeros(0, np.int64)]
    for batch in batches:
        ptr, index = batch["ptr"].numpy(), batch["mlm_index"].numpy()
        graph = batch["batch"].numpy()[index]
        for at, number, chunk in zip(index, graph, batch["chunk"].numpy()[graph], strict=True):
            found.append(classified.classes[chunk][at - ptr[number], None])
    return np.concatenate(found)


def count_ngrams(folder: DataFolder) -> TokenNGrams:
    """The n-grams of the train split."""
    tokens = folder.chunks("train")["tok"].combine_chunks()
    sequences: Sequence[np.ndarray] = np.split(tokens.values.to_numpy(), tokens.offsets.to_numpy()[1:-1])
    return TokenNGrams(sequences, len(folder.tokenizer), sorted(folder.tokenizer.special.values()))
