"""Cases of a cloze test: one called name of a function is masked, and a few names may be meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.masked.classes import Classified, classify
from graphmer_geo.data import ChainConfig, LeafyChainDataset, plan_batches
from graphmer_geo.data.collate import collate
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.leafy_chain import LeafyChainData
from graphmer_geo.errors import UserError
from graphmer_geo.transforms import HideTelling

#: Training functions in which names of calls are counted.
SAMPLE = 20_000


@dataclass(frozen=True)
class Case:
    """A masked root token; ``answer`` is the position of its name among the candidates."""

    split: str
    chunk: int
    position: int
    answer: int


@dataclass(frozen=True)
class Cloze:
    """Cases, as many for each answer, and the candidates: one token each, to be scored at one mask."""

    names: tuple[str, ...]
    tokens: tuple[int, ...]
    cases: tuple[Case, ...]
    train_counts: tuple[int, ...]  # how often training code calls each

    @property
    def answers(self) -> np.ndarray:
        """``[cases]``: position of the right name."""
        return np.array([case.answer for case in self.cases])


class Functions:
    """The functions of some splits, and which of their tokens begin a called name that is one token."""

    def __init__(self, folder: DataFolder, splits: Sequence[str], seed: int = 0) -> None:
        self.folder = folder
        self.places = {split: self._places(split, classify(folder, split)) for split in splits}
        train = self._places("train", classify(folder, "train", limit=SAMPLE, seed=seed))
        self.train_counts = Counter(token for _, _, token in train)

    def _places(self, split: str, classified: Classified) -> list[tuple[int, int, int]]:
        """Chunk, position and token of every one."""
        table, vocab = self.folder.chunks(split), self.folder.tokenizer.table
        found = []
        for chunk, (kind, tok) in enumerate(
            zip(table["kind"].to_pylist(), table["tok"].to_pylist(), strict=True)
        ):
            called = np.flatnonzero(classified.called[chunk])
            if kind != "callable" or not len(called):
                continue
            words = vocab.word_ids(np.array(tok))
            alone = called[np.bincount(words[words >= 0])[words[called]] == 1]
            found += [(chunk, position, tok[position]) for position in alone.tolist()]
        return found

    def cloze(self, names: Sequence[str], limit: int | None, seed: int) -> Cloze:
        """As many cases for each of these names, ``limit`` in all at most.

        Raises:
            UserError: a name is not one token, or unseen code never calls it.
        """
        tokens = [self._token(name) for name in names]
        by_token: dict[int, list[tuple[str, int, int]]] = {token: [] for token in tokens}
        for split, places in self.places.items():
            for chunk, position, token in places:
                if token in by_token:
                    by_token[token].append((split, chunk, position))
        least = min(len(places) for places in by_token.values())
        each = least if limit is None else min(least, limit // len(names))
        if not each:
            rare = min(names, key=lambda name: len(by_token[self._token(name)]))
            raise UserError(f"no function of {', '.join(self.places)} calls {rare!r}; take more code")
        rng = np.random.default_rng((seed, 0xC102E))
        cases = []
        for answer, token in enumerate(tokens):
            places = by_token[token]
            for row in np.sort(rng.permutation(len(places))[:each]).tolist():
                cases.append(Case(*places[row], answer))
        counts = tuple(self.train_counts[token] for token in tokens)
        return Cloze(tuple(names), tuple(tokens), tuple(cases), counts)

    def frequent(self, count: int, cases: int) -> list[str]:
        """The names that training code calls most, of those that unseen code calls often enough.

        Raises:
            UserError: there are fewer.
        """
        unseen = Counter(token for places in self.places.values() for _, _, token in places)
        token_bytes = self.folder.tokenizer.token_bytes
        ranked = sorted(self.train_counts, key=lambda token: (-self.train_counts[token], token))
        enough = [token for token in ranked if unseen[token] >= cases and token_bytes[token].isalnum()]
        if len(enough) < count:
            raise UserError(
                f"{len(enough)} names are called {cases} times in {', '.join(self.places)} and in training, "
                f"not {count}; take more code, or fewer --names or --cases"
            )
        return [token_bytes[token].decode() for token in enough[:count]]

    def _token(self, name: str) -> int:
        tokens = self.folder.tokenizer.encode_label(name)
        if len(tokens) != 1:
            raise UserError(f"{name!r} is {len(tokens)} tokens, and one mask is scored; take another name")
        return tokens[0]


def batches(
    folder: DataFolder, cloze: Cloze, leaves: bool, seed: int, batch_tokens: int = 8192
) -> Iterator[tuple[dict[str, torch.Tensor], np.ndarray]]:
    """Chains of the cases with the name masked, and the rows of the cases.

    With ``leaves``, those stay that hang on other names and spell no candidate.
    """
    tokenizer, chain = folder.tokenizer, ChainConfig(leaves=leaves)
    hide = HideTelling(tokenizer.table, tokenizer.token_bytes, cloze.names)
    for split in sorted({case.split for case in cloze.cases}):
        dataset = LeafyChainDataset(folder, split, config=chain, seed=seed)
        rows = np.array([row for row, case in enumerate(cloze.cases) if case.split == split])
        lengths = dataset.lengths[[cloze.cases[row].chunk for row in rows]]
        for plan in plan_batches(lengths, batch_tokens, shuffle=False):
            chosen = [cloze.cases[row] for row in rows[plan]]
            chains = [hide(_masked(dataset[case.chunk], case, tokenizer.mask_id)) for case in chosen]
            yield collate(chains, dataset.limits), rows[plan]


def _masked(chain: LeafyChainData, case: Case, mask: int) -> LeafyChainData:
    where = torch.tensor([case.position])
    chain["mlm_index"], chain["mlm_label"] = where, chain["tok"][where]
    chain["tok"] = chain["tok"].index_fill(0, where, mask)
    return chain
