"""Encoders that every task measures: the whole one and what it is without each part, trained alike, once.

A run is a folder under ``WORK/runs``, named after data, variant, seed and budget. The tasks that are given
the same --work measure the same runs: one that is complete is not trained again, one that was interrupted
goes on. The variants of a seed see as many root tokens as its whole encoder has seen in the given time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from graphmer_geo.data import ChainConfig, LeafyChainDataset
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.results import result, write_result
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import train
from graphmer_geo.train.stream import TokenBudgetStream

#: Nodes in a batch: short enough for the small size on two cores.
BATCH_TOKENS = 2048


@dataclass(frozen=True)
class Variant:
    """Changes to the model, to training and to chains."""

    model: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    chain: dict[str, Any] = field(default_factory=dict)


#: Without leaves: the asked leaf is there, as the place of the answer, and no leaf tells anything.
#: Telling leaves hidden: in training too, no leaf tells what is masked, so nothing is learned by copying.
#: Text only: a masked language model of the same chunks with the same masks, and no graph at all.
VARIANTS = {
    "encoder": Variant(),
    "without leaves": Variant(train={"mnm_prob": 1.0, "rank_share": 1.0}, chain={"targets_only": True}),
    "text only": Variant(chain={"leaves": False}),
    "telling leaves hidden": Variant(train={"hide_telling": 1.0}),
    "without H-GAT": Variant(model={"hgat": False}),
    "without decay": Variant(model={"decay": "none"}),
    "multiplicative decay": Variant(model={"decay": "multiplicative"}),
    "without RoPE": Variant(model={"positions": "none"}),
}
WHOLE = "encoder"


@dataclass(frozen=True)
class Budget:
    """What the training of a run may cost.

    Attributes:
        minutes: training of the whole encoder; its variants see as many root tokens.
        steps: optimiser steps of it instead: repeatable to the bit.
        size: "tiny", "small" or "base".
        threads: CPU threads.
        precision: of matrix products, as in :class:`~graphmer_geo.train.TrainArgs`.
        batch_tokens: nodes in a batch.
    """

    minutes: float = 1.0
    steps: int | None = None
    size: str = "small"
    threads: int = 2
    precision: str = "fp32"
    batch_tokens: int = BATCH_TOKENS

    def __post_init__(self) -> None:
        if self.minutes <= 0:
            raise UserError(f"minutes is {self.minutes}; training needs some time: give a positive number")

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Budget:
        """What :func:`add_options` has read."""
        return cls(**{name: getattr(arguments, name) for name in cls.__dataclass_fields__})

    def model(self) -> GraphMERConfig:
        """The sizes of that name."""
        if self.size == "tiny":
            return GraphMERConfig.small(hidden_size=32, num_layers=1, num_heads=2, ffn_size=64)
        return GraphMERConfig.base() if self.size == "base" else GraphMERConfig.small()

    def name(self) -> str:
        """What tells its runs from those of other budgets."""
        length = f"{self.steps}-steps" if self.steps else f"{self.minutes:g}-minutes"
        return f"{self.size}-{self.precision}-{self.batch_tokens}-{length}"


def add_options(
    parser: argparse.ArgumentParser, default_variants: Iterable[str], known: Iterable[str] = VARIANTS
) -> None:
    """The options that all tasks share; ``known`` are the variants that a task can measure."""
    default = Budget()
    parser.add_argument("--data", type=Path, required=True, help="prepared data, split by project")
    parser.add_argument("--work", type=Path, help="keep runs here, and go on with them")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--variants", nargs="*", choices=list(known), default=list(default_variants))
    parser.add_argument("--minutes", type=float, default=default.minutes, help="training of `encoder`")
    parser.add_argument("--steps", type=int, help="optimiser steps instead: repeatable to the bit")
    parser.add_argument("--size", choices=("tiny", "small", "base"), default=default.size)
    parser.add_argument("--threads", type=int, default=default.threads)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default=default.precision)
    parser.add_argument("--batch_tokens", type=int, default=default.batch_tokens)


def trained(
    name: str, folder: DataFolder, work: Path, budget: Budget, seed: int, chain: ChainConfig | None = None
) -> Path:
    """The run folder of a variant; trained here and now unless that was done before.

    Args:
        name: of the variant.
        folder: what to train on.
        work: where runs are kept.
        budget: what it may cost.
        seed: of weights, batches and masks.
        chain: which triples ride along, before the variant changes that.

    Raises:
        UserError: a run of another kind has this one's name, or training fails.
    """
    variant, chain = VARIANTS[name], chain or ChainConfig()
    label = f"{name.replace(' ', '-')}-{budget.name()}-seed{seed}-{folder.manifest.fingerprint[:12]}"
    out = work / "runs" / label
    if (out / "metrics.json").is_file():
        return out
    changed = replace(chain, **variant.chain)
    limit: dict[str, Any] = {"max_steps": budget.steps}
    if not budget.steps:
        limit = {"max_seconds": budget.minutes * 60}
    if name != WHOLE:
        whole = steps_of(trained(WHOLE, folder, work, budget, seed, chain))
        seen = root_tokens(folder, chain, budget.batch_tokens, seed, whole)
        limit = {"max_steps": steps_for(folder, changed, budget.batch_tokens, seed, seen)}
    args = TrainArgs(
        batch_tokens=budget.batch_tokens, seed=seed, threads=budget.threads, precision=budget.precision,
        resume="auto", **limit,
    )  # fmt: skip
    model = replace(budget.model(), **variant.model)
    return train(folder.path, out, replace(args, **variant.train), model, changed)


def steps_of(run: Path) -> int:
    """Optimiser steps of a complete run."""
    return int(json.loads((run / "metrics.json").read_text(encoding="utf-8"))["steps"])


def chain_of(run: Path) -> ChainConfig:
    """Which triples rode along."""
    return ChainConfig.from_dict(json.loads((run / "train_args.json").read_text(encoding="utf-8"))["chain"])


def root_tokens(folder: DataFolder, chain: ChainConfig, batch_tokens: int, seed: int, steps: int) -> int:
    """How many root tokens a run has seen after so many steps."""
    return int(_cumulative(folder, chain, batch_tokens, seed, steps=steps)[steps - 1])


def steps_for(folder: DataFolder, chain: ChainConfig, batch_tokens: int, seed: int, tokens: int) -> int:
    """The fewest steps after which a run has seen so many root tokens."""
    seen = _cumulative(folder, chain, batch_tokens, seed, tokens=tokens)
    return int(np.searchsorted(seen, tokens)) + 1


def _cumulative(
    folder: DataFolder, chain: ChainConfig, batch_tokens: int, seed: int, steps: int = 0, tokens: int = 0
) -> np.ndarray:
    """Root tokens seen after each step, until there are so many; as a run draws them."""
    dataset = LeafyChainDataset(folder, "train", config=chain, seed=seed)
    stream = TokenBudgetStream(dataset, batch_tokens, seed, lambda batch, _: batch)
    counts: list[int] = []
    seen = 0
    while len(counts) < steps or seen < tokens:
        counts.append(sum(len(dataset.root_tokens(i)) for i in stream.examples(len(counts))))
        seen += counts[-1]
    return np.cumsum(counts)


def facts(run: Path, folder: DataFolder) -> dict[str, Any]:
    """What a result file says of a run."""
    described, metrics = (
        json.loads((run / name).read_text(encoding="utf-8")) for name in ("train_args.json", "metrics.json")
    )
    args = described["train"]
    seen = root_tokens(folder, chain_of(run), args["batch_tokens"], args["seed"], metrics["steps"])
    return {
        "steps": metrics["steps"],
        "seconds": metrics["seconds"],
        "root_tokens": seen,
        "parameters": metrics["parameters"],
    }


def report(
    task: str,
    arguments: argparse.Namespace,
    measure: Callable[[argparse.Namespace, Path], dict[str, Any]],
    show: Callable[[dict[str, Any]], None],
) -> None:
    """What every task's ``main`` does: measure, print, write; after an error nothing is written."""
    with tempfile.TemporaryDirectory() as temporary:
        try:
            metrics = measure(arguments, arguments.work or Path(temporary))
        except UserError as error:
            raise SystemExit(f"error: {error}") from None
    show(metrics)
    metrics["arguments"] = {k: str(v) if isinstance(v, Path) else v for k, v in vars(arguments).items()}
    metrics["data_fingerprint"] = DataFolder.open(arguments.data).manifest.fingerprint
    write_result(arguments.out, result(task, metrics, seed=arguments.seeds[0]))
