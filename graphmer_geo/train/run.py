"""From prepared data to a run folder."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from graphmer_geo.data import ChainConfig, LeafyChainDataset
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.files import write_json
from graphmer_geo.models import GraphMER, GraphMERConfig
from graphmer_geo.nn import Names
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.candidates import CandidateSampler
from graphmer_geo.train.card import write_card
from graphmer_geo.train.curriculum import CurriculumStream, phases
from graphmer_geo.train.device import refuse_what_does_not_fit
from graphmer_geo.train.distributed import on_first, process_group, rank, world
from graphmer_geo.train.run_folder import RunSettings, begin
from graphmer_geo.train.saving import writing
from graphmer_geo.train.stream import SeekableStream, TokenBudgetStream
from graphmer_geo.train.tables import ENTITY_KINDS, Tables
from graphmer_geo.transforms import HideTelling, MaskNodes, MaskTokens
from graphmer_geo.transforms.base import SeededTransform

if TYPE_CHECKING:
    from transformers import TrainerCallback

    from graphmer_geo.train.trainer import LeafyChainTrainer

logger = logging.getLogger(__name__)


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C while training; everything up to the last step is in a checkpoint."""


def train(
    data: str | Path,
    out: str | Path,
    args: TrainArgs,
    model: GraphMERConfig | None = None,
    chain: ChainConfig | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> Path:
    """Train an encoder and write a run folder.

    The folder holds ``model.safetensors``, ``config.json``, ``tokenizer.json``, ``relations.json``,
    ``train.yaml`` (the settings, for ``graphmer train --config``), ``train_args.json`` (settings, data, and
    for each session code, environment and command), ``README.md`` (the model card), ``log.jsonl``,
    ``metrics.json`` and ``checkpoints/``.

    Args:
        data: folder of :func:`graphmer_geo.data.prepare`.
        out: the run folder; new, or with ``args.resume`` one that was begun with the same arguments.
        args: how to train.
        model: sizes and switches; what the data decides is filled in. Default: :meth:`GraphMERConfig.small`.
        chain: which triples ride along.
        callbacks: of the Trainer, beside our own.

    Raises:
        UserError: data, run folder, machine or number of processes do not fit, or training diverged.
        TrainingInterrupted: stopped by Ctrl-C, after saving a checkpoint.
    """
    model = model or GraphMERConfig.small()
    refuse_what_does_not_fit(args)
    with process_group():
        return _train(DataFolder.open(data), Path(out), args, model, chain, callbacks)


def _train(
    folder: DataFolder,
    out: Path,
    args: TrainArgs,
    model: GraphMERConfig,
    chain: ChainConfig | None,
    callbacks: Sequence[TrainerCallback],
) -> Path:
    config, chain = model_config(folder, model), chain or ChainConfig()
    settings = RunSettings(args, config, chain)
    checkpoint = on_first(lambda: begin(out, folder, settings))
    torch.manual_seed(args.seed)
    tables = Tables.load(folder)
    network = new_model(config, folder, tables)
    stream = build_stream(folder, tables, args, chain)
    return fit(network, folder, out, settings, stream, checkpoint, callbacks)


def fit(
    network: GraphMER,
    folder: DataFolder,
    out: Path,
    settings: RunSettings,
    stream: SeekableStream,
    checkpoint: Path | None,
    callbacks: Sequence[TrainerCallback] = (),
    before_saving: Callable[[GraphMER], None] | None = None,
) -> Path:
    """Train a network on a stream, in a run folder that has been begun, and write it there.

    Args:
        network: what to train, with fresh weights; those of the checkpoint replace them.
        folder: the data, for the model card.
        out: the run folder.
        settings: of the run.
        stream: batches.
        checkpoint: where to go on from, as :func:`~graphmer_geo.train.run_folder.begin` says.
        callbacks: of the Trainer, beside our own.
        before_saving: called with the trained network before it is written, by the first process alone.

    Raises:
        UserError: training diverged or changed nothing.
        TrainingInterrupted: stopped by Ctrl-C, after saving a checkpoint.
    """
    from graphmer_geo.train.alerts import Alerts
    from graphmer_geo.train.callbacks import GracefulStop, JsonlLog, ProgressBar
    from graphmer_geo.train.memory import ReturnMemory
    from graphmer_geo.train.tracking import trackers
    from graphmer_geo.train.trainer import LeafyChainTrainer

    args = settings.args
    if args.threads:
        torch.set_num_threads(args.threads)
    logger.info("parameters: %s", network.num_parameters_by_part())
    before = _fingerprint(network)
    trainer = LeafyChainTrainer(network, args, out, stream)
    alerts = Alerts(out, args.alert_webhook, args.stall_seconds)
    with GracefulStop(args.session_seconds) as stop, closing(alerts):
        watchers = [JsonlLog(out / "log.jsonl"), ProgressBar(trainer.budget), ReturnMemory(), stop]
        if rank() == 0:
            parameters = settings.flat() | {
                f"parameters.{part}": count for part, count in network.num_parameters_by_part().items()
            }
            watchers += [alerts, *trackers(args, out, settings.to_yaml(), parameters)]
        for callback in (*watchers, *callbacks):
            trainer.add_callback(callback)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if stop.requested and trainer.budget.progress(trainer.state.global_step) < 1.0:
        raise TrainingInterrupted(
            f"stopped at step {trainer.state.global_step}; continue with resume=true and the same {out}"
        )
    finished = trainer.whole_model(averaged=True)
    on_first(lambda: _finish(out, folder, finished, before, trainer, before_saving))
    return out


def model_config(folder: DataFolder, model: GraphMERConfig) -> GraphMERConfig:
    """``model`` with everything that the data decides filled in."""
    tokenizer, relations = folder.tokenizer, folder.relations
    return replace(
        model,
        vocab_size=len(tokenizer),
        num_relations=max(relations.values()) + 1,
        num_entity_kinds=len(ENTITY_KINDS),
        pad_id=tokenizer.pad_id,
        mask_id=tokenizer.mask_id,
        ontology_version=folder.manifest.ontology_version,
        tokenizer_hash=tokenizer_hash(folder),
        relation_map=relations,
        entity_kinds=ENTITY_KINDS,
    )


def check_fits(folder: DataFolder) -> dict[str, Any]:
    """What :meth:`GraphMER.from_pretrained` is to compare: a model goes with its own kind of data."""
    return {
        "relation_map": folder.relations,
        "vocab_size": len(folder.tokenizer),
        "ontology_version": folder.manifest.ontology_version,
        "tokenizer_hash": tokenizer_hash(folder),
    }


def tokenizer_hash(folder: DataFolder) -> str:
    """SHA-256 of ``tokenizer.json``."""
    return hashlib.sha256((folder.path / "tokenizer.json").read_bytes()).hexdigest()


def new_model(config: GraphMERConfig, folder: DataFolder, tables: Tables) -> GraphMER:
    """A model with fresh weights and the counts of the train split."""
    network = GraphMER(config)
    if network.ranking_head is None:
        return network
    relation, tail = tables.once_per_unit()
    entities = np.flatnonzero(tables.known_to_train)
    network.fit_statistics(
        folder.tokenizer.token_bytes,
        Names(*tables.names(entities)),
        torch.from_numpy(relation),
        torch.from_numpy(np.searchsorted(entities, tail)),
    )
    if network.ranking_head.proximity is not None:
        network.ranking_head.proximity.fit(torch.from_numpy(tables.nearness_log_odds()))
    return network


def build_masks(folder: DataFolder, args: TrainArgs) -> tuple[SeededTransform, ...]:
    """What hides tokens, what tells them, and tails."""
    vocab, token_bytes = folder.tokenizer.table, folder.tokenizer.token_bytes
    hide = (HideTelling(vocab, token_bytes, prob=args.hide_telling),) if args.hide_telling else ()
    return (
        MaskTokens(vocab, mlm_prob=args.mlm_prob),
        *hide,
        MaskNodes(vocab, prob=args.mnm_prob, rank_share=args.rank_share, hidden_only=args.hidden_only),
    )


def build_sampler(tables: Tables, args: TrainArgs) -> CandidateSampler:
    """Candidates from what the train split knows."""
    triples = tables.triples[tables.in_train]
    return CandidateSampler(
        tables.kinds,
        (tables.name_tok, tables.name_ptr),
        tables.known_to_train,
        triples,
        tables.admitted(triples),
        args.candidates,
        tables.places,
    )


def build_stream(folder: DataFolder, tables: Tables, args: TrainArgs, chain: ChainConfig) -> CurriculumStream:
    """Masked train chains with candidates.

    Raises:
        UserError: the data was not cut to a length of the curriculum.
    """
    masks = build_masks(folder, args)
    sampler = build_sampler(tables, args)
    steps = phases(args.root_lengths, args.root_steps, folder.manifest.config.max_roots)
    for phase in steps:
        folder.shards("train", phase.roots)  # now, not in the middle of the run

    def build(number: int) -> TokenBudgetStream:
        seed = args.seed + number * 1_000_003  # no draw of one phase is that of another
        dataset = LeafyChainDataset(
            folder, "train", config=chain, seed=seed, transforms=masks, roots=steps[number].roots
        )
        return TokenBudgetStream(dataset, args.batch_tokens, seed, sampler, limits=dataset.limits)

    return CurriculumStream(steps, args.accumulation, build, rank(), world())


def _finish(
    out: Path,
    folder: DataFolder,
    network: GraphMER,
    before: dict[str, float],
    trainer: LeafyChainTrainer,
    before_saving: Callable[[GraphMER], None] | None,
) -> None:
    """Write the model, what it reached, and its card."""
    steps = trainer.state.global_step
    if not steps or before == _fingerprint(network):
        raise UserError(
            f"{steps} optimiser steps changed no weight; raise the budget or the learning rate "
            f"({trainer.args.learning_rate})"
        )
    if before_saving:
        before_saving(network)
    losses = [entry for entry in trainer.state.log_history if "loss" in entry]
    metrics = {
        "steps": steps,
        "seconds": round(trainer.budget.elapsed(), 1),
        "parameters": network.num_parameters_by_part(),
        "threads": torch.get_num_threads(),
        "processes": world(),
        "last": {k: v for k, v in losses[-1].items() if k != "epoch"} if losses else {},
    }
    with writing("the model", out):
        network.save_pretrained(out)
        write_json(out / "metrics.json", metrics)
        write_card(out, folder, network, metrics)


def _fingerprint(network: GraphMER) -> dict[str, float]:
    return {name: p.detach().double().abs().sum().item() for name, p in network.named_parameters()}
