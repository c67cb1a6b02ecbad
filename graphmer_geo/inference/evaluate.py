"""How good an encoder is on code it has not seen, with trivial baselines in the same table."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch

from graphmer_geo.data import ChainConfig
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.inference.questions import ask, masked_batches
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.inference.report import EvaluationReport, PerQuery, aggregate
from graphmer_geo.inference.tuning import tune
from graphmer_geo.metrics import (
    Baseline,
    Combined,
    Entities,
    LexicalCopy,
    MaskedTokens,
    Nearness,
    NGramBaseline,
    TailFrequency,
    expected_per_query,
    masked_tokens,
    per_query,
)
from graphmer_geo.models import GraphMER
from graphmer_geo.train.run import check_fits
from graphmer_geo.train.run_folder import chain_of
from graphmer_geo.train.tables import Tables

logger = logging.getLogger(__name__)


def evaluate(
    run: str | Path,
    data: str | Path,
    split: str = "test",
    *,
    per_chain: int = 4,
    seed: int = 0,
    limit: int | None = None,
    mlm_limit: int | None = 2000,
    tune_limit: int = 1000,
) -> EvaluationReport:
    """Masked-token accuracy and masked-node ranking of a run on a split of unseen packages.

    Ranking: every hidden tail competes with all entities of the whole graph whose kind the relation takes
        anywhere in it; other true answers, whichever split asserted them, are left out; ties cost half.
        Forward relations ask for tails, inverse ones for heads. The baselines know the train split, as
        the model does, and are tuned on validation queries.

    Args:
        run: folder of :func:`graphmer_geo.train.run.train`.
        data: folder of :func:`graphmer_geo.data.prepare`; the same as in training, or one with its
            tokenizer.
        split: "test" or "validation".
        per_chain: most queries in one chunk.
        seed: of all draws. The same arguments give the same report.
        limit: most ranking queries (about); all chunks of the split if not given.
        mlm_limit: most chunks for masked tokens.
        tune_limit: about how many validation queries choose the variants of the baselines.

    Raises:
        UserError: the run is incomplete or does not fit the data, or the split is not for evaluation.
    """
    if split not in ("validation", "test"):
        raise UserError(f"split is {split!r}; evaluate on 'test' (or 'validation' while choosing settings)")
    folder, chain = DataFolder.open(data), chain_of(run)
    model = load_run(run, folder)
    tables = Tables.load(folder)
    ranker = Ranker(tables)
    questions = ask(folder, split, chain, per_chain=per_chain, seed=seed, limit=limit)
    logger.info("%d queries in %d batches", len(questions.queries), len(questions.batches))
    found = ranker.rank_model(model, questions)
    values: dict[str, PerQuery] = {
        "model": per_query(found.rank),
        "random": expected_per_query(found.candidates),
    }
    tuning = ask(folder, "validation", chain, per_chain=per_chain, seed=seed + 1, limit=tune_limit).queries
    names = {index: name for name, index in folder.relations.items()}
    variants = {}
    for baseline in baselines(tables):
        tuned = tune(baseline, ranker, tuning)
        values[tuned.name] = per_query(ranker.rank(tuned, questions.queries).rank)
        chosen = sorted((names[r], v) for r, v in tuned.variants.items())
        variants[tuned.name] = {"": tuned.default} | dict(chosen)
    relation_names = [names[r] for r in questions.queries.relation.tolist()]
    micro, macro, by_relation = aggregate(values, relation_names, questions.queries.visible)
    return EvaluationReport(
        setting={
            "run": str(run), "data": str(data), "split": split, "per_chain": per_chain, "seed": seed,
            "limit": limit, "mlm_limit": mlm_limit, "tune_limit": tune_limit,
            "data_fingerprint": folder.manifest.fingerprint, "parameters": model.num_parameters_by_part(),
            "units": sorted(u for u, s in folder.manifest.units.items() if s == split),
        },
        mlm=mlm_accuracy(model, folder, split, chain, seed=seed, limit=mlm_limit),
        ranking=micro,
        macro=macro,
        per_relation=by_relation,
        variants=variants,
    )  # fmt: skip


def load_run(run: str | Path, folder: DataFolder) -> GraphMER:
    """The model of a run, in evaluation mode, on the accelerator if there is one.

    Raises:
        UserError: a file is missing, or relations or tokenizer differ from the data's.
    """
    model = GraphMER.from_pretrained(run, **check_fits(folder))
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return model.to(device or "cpu").eval()


def baselines(tables: Tables) -> list[Baseline]:
    """The trivial scorers, knowing what the train split asserts."""
    entities = Entities(tables.labels, tables.kinds)
    frequency = TailFrequency(entities, tables.triples[tables.in_train])
    copy = LexicalCopy(entities)
    nearness = Nearness(tables.places.level, tables.nearness_log_odds())
    return [frequency, copy, nearness, Combined(frequency, copy, nearness)]


@torch.no_grad()
def mlm_accuracy(
    model: GraphMER, folder: DataFolder, split: str, chain: ChainConfig, *, seed: int, limit: int | None
) -> dict[str, float]:
    """Top-1 accuracy on masked root tokens, with the unigram and n-gram baselines fitted to train chunks."""
    device = next(model.parameters()).device
    right, parts = 0, []
    for batch in masked_batches(folder, split, chain, seed=seed, limit=limit):
        moved = {name: value.to(device) for name, value in batch.items()}
        logits = model.token_logits(model.encode(moved)[moved["mlm_index"]])
        right += int((logits.argmax(dim=-1) == moved["mlm_label"]).sum())
        tok, index, label = (batch[name].numpy() for name in ("tok", "mlm_index", "mlm_label"))
        parts.append(masked_tokens(tok, batch["slot"].numpy() < 0, index, label))
    masked = MaskedTokens(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    tokens = folder.chunks("train", columns=["tok"])["tok"].combine_chunks()
    sequences = np.split(tokens.values.to_numpy(), tokens.offsets.to_numpy()[1:-1])
    special = sorted(folder.tokenizer.special.values())
    counted = NGramBaseline(sequences, len(folder.tokenizer), special).accuracy(masked)
    return {"model": right / max(len(masked.label), 1)} | counted
