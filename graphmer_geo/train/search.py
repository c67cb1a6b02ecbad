"""Fine-tuning for search: a trained encoder learns which function a sentence asks for."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphmer_geo.data import ChainConfig, LeafyChainDataset
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.pairs import PairConfig, Pairs, mine_pairs
from graphmer_geo.data.words import LeafWords
from graphmer_geo.errors import UserError
from graphmer_geo.files import write_json
from graphmer_geo.models import GraphMER
from graphmer_geo.models.checkpoint import model_hash
from graphmer_geo.models.graphmer import word_bags
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.calibrate import calibrate
from graphmer_geo.train.device import refuse_what_does_not_fit
from graphmer_geo.train.distributed import on_first, process_group, rank, world
from graphmer_geo.train.pair_batch import pair_batch, without_leaves
from graphmer_geo.train.run import check_fits, fit
from graphmer_geo.train.run_folder import RunSettings, begin, chain_of
from graphmer_geo.train.stream import Batch, SeekableStream

if TYPE_CHECKING:
    from transformers import TrainerCallback

logger = logging.getLogger(__name__)

#: What a run folder says about search: what it was made of, and from which pairs.
SEARCH = "search.json"


class PairStream(SeekableStream):
    """Batches of pairs: graphs of queries, then of their functions, and the words of both.

    Half of a batch's pairs come from one package and half from another (see
    :attr:`PairConfig.same_unit`), so wrong answers are near and far.

    Args:
        pairs: mined from the train split.
        config: how they are learnt from.
        chain: which triples ride along.
        seed: of order, triples and leaves.
        rank: see :class:`SeekableStream`.
        world: see there.

    Raises:
        UserError: there are fewer pairs than a batch takes.
    """

    def __init__(
        self, pairs: Pairs, config: PairConfig, chain: ChainConfig, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        super().__init__(rank, world)
        if len(pairs) < config.per_batch:
            raise UserError(
                f"{len(pairs)} pairs do not fill a batch of {config.per_batch}; "
                "prepare more documented code or lower per_batch"
            )
        self.pairs, self.config, self.seed = pairs, config, seed
        self.dataset = LeafyChainDataset(pairs.folder, pairs.split, config=chain, seed=seed)
        self.leaf_words = LeafWords(pairs.folder, config.buckets)
        self._units = np.unique(pairs.folder.chunks(pairs.split)["unit"].to_pylist(), return_inverse=True)[1]
        self._order: tuple[int, NDArray[np.int64]] = (-1, self._units)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """All pairs in the order of one epoch: shuffled blocks of pairs of one unit."""
        if self._order[0] != epoch:
            rng = np.random.default_rng((self.seed, 0x9A, epoch))
            shuffled = rng.permutation(len(self.pairs))
            grouped = shuffled[np.argsort(self._units[shuffled], kind="stable")]
            size = self.config.same_unit
            blocks = [grouped[start : start + size] for start in range(0, len(grouped), size)]
            self._order = (epoch, np.concatenate([blocks[i] for i in rng.permutation(len(blocks))]))
        return self._order[1]

    def batch(self, index: int) -> Batch:
        """Batch ``index`` of the whole run."""
        size = self.config.per_batch
        epoch, position = divmod(index, len(self.pairs) // size)
        rows = self.order(epoch)[position * size : (position + 1) * size].tolist()
        rng = np.random.default_rng((self.seed, 0x9B, index))
        self.dataset.set_epoch(epoch)
        bare = rng.random(size) < self.config.leafless
        chains = [
            without_leaves(self.dataset[row]) if plain else self.dataset[row]
            for row, plain in zip(rows, bare.tolist(), strict=True)
        ]
        return pair_batch(self.pairs, rows, chains, self.leaf_words) | {"pair_target": torch.arange(size)}


def finetune(
    run: str | Path,
    data: str | Path,
    out: str | Path,
    args: TrainArgs,
    pairs: PairConfig | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> Path:
    """Teach the encoder of a run to search, and write another run folder.

    Learns from the documented functions of the *train split* alone: the first paragraph of the documentation
    is the query, the function without it the answer, the other functions of the batch are wrong answers
    (InfoNCE, in both directions). Embeddings, trunk and the new head learn; the other heads stay as they are.
    Then one number, how much vectors count beside shared words, is chosen on the validation split.
    ``search.json`` says what the folder was made of.

    Args:
        run: folder of :func:`graphmer_geo.train.train`.
        data: folder of :func:`graphmer_geo.data.prepare`, the one of the run or one with its tokenizer.
        out: the new run folder.
        args: how to train; what masks tokens and tails is not used.
        pairs: which functions make pairs, and how many come together.
        callbacks: of the Trainer, beside our own.

    Raises:
        UserError: run and data do not fit each other, there are too few pairs, or training diverged.
        TrainingInterrupted: stopped by Ctrl-C, after saving a checkpoint.
    """
    config, folder = pairs or PairConfig(), DataFolder.open(data)
    base, chain = GraphMER.from_pretrained(run, **check_fits(folder)), chain_of(run)
    refuse_what_does_not_fit(args)
    with process_group():
        mined = mine_pairs(folder, "train", config)
        stream = PairStream(mined, config, chain, args.seed, rank(), world())
        settings = RunSettings(args, replace(base.config, search_buckets=config.buckets), chain)
        checkpoint = on_first(lambda: _begin(Path(out), folder, settings, config, Path(run), mined))
        torch.manual_seed(args.seed)
        network = searching(base, settings.model.search_buckets)
        network.searcher.words.fit(word_bags(mined.code_words.tensors("code"), "code", len(mined)))
        weigh = partial(_weigh, folder, Path(out), config, chain)
        return fit(network, folder, Path(out), settings, stream, checkpoint, callbacks, weigh)


def _weigh(folder: DataFolder, out: Path, config: PairConfig, chain: ChainConfig, network: GraphMER) -> None:
    """Choose how much vectors count, if the validation split documents anything, and note it."""
    said = json.loads((out / SEARCH).read_text(encoding="utf-8"))
    try:
        held_out = mine_pairs(folder, "validation", config)
    except UserError as error:
        logger.warning("vectors count as much as in training, which may be too much: %s", error)
        return
    said["validation_mrr_by_factor"] = calibrate(network, held_out, chain, config.buckets)
    write_json(out / SEARCH, said)


def searching(base: GraphMER, buckets: int) -> GraphMER:
    """The same encoder with a new head for search; the old heads take no part in training."""
    network = GraphMER(replace(base.config, search_buckets=buckets))
    state: dict[str, Tensor] = base.state_dict()
    kept = {key: value for key, value in state.items() if not key.startswith("search_head.")}
    network.load_state_dict(network.state_dict() | kept)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(("embedding.", "encoder.", "search_head.")))
    return network


def _begin(
    out: Path, folder: DataFolder, settings: RunSettings, config: PairConfig, run: Path, mined: Pairs
) -> Path | None:
    now: dict[str, Any] = {
        "base": run.resolve().name,
        "base_hash": model_hash(run),
        "pairs": config.to_dict(),
        "mined": {"split": mined.split, "pairs": len(mined), "skipped": mined.skipped},
    }
    if settings.args.resume is not False and (out / SEARCH).is_file():
        said = json.loads((out / SEARCH).read_text(encoding="utf-8"))
        if {key: said.get(key) for key in now} != now:
            raise UserError(
                f"{out} was made of other pairs, or of another run, than {run} with {config}; "
                "resume with the same, or start anew"
            )
    checkpoint = begin(out, folder, settings)
    write_json(out / SEARCH, now)
    return checkpoint
