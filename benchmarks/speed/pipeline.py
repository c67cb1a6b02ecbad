"""The data pipeline: chains built, sampled, masked and collated on the fly; and how much padding is left."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

from torch.utils.data import DataLoader

from benchmarks.speed.corpus import Corpus, padding
from benchmarks.speed.timing import Bench
from graphmer_geo.nn import ChainStructure
from graphmer_geo.train.stream import LANES

BATCHES = 60
RANK_SHARE = 0.8  # of training's default
#: What eight workers must deliver to one large GPU.
GPU_TOKENS, WORKERS = 300_000, 8


def pipeline(bench: Bench, corpus: Corpus, batch_tokens: int) -> dict[str, Any]:
    """Real tokens per second of one process, alone and behind a loader."""
    stream = corpus.stream(batch_tokens, RANK_SHARE)
    for index in range(LANES):  # reads and plans what is open at a time
        stream.batch(index)
    rates = []
    for number in range(bench.repeats):
        first, tokens = 1 + number * BATCHES, 0
        started = time.process_time()
        for index in range(first, first + BATCHES):
            tokens += stream.batch(index)["tok"].numel()
        rates.append(tokens / (time.process_time() - started))
    return {
        "batch_tokens": batch_tokens,
        "tokens_per_cpu_second": sorted(rates)[len(rates) // 2],
        "through_a_loader_with_one_worker": _loaded(corpus, batch_tokens),
        "needed_per_worker": GPU_TOKENS / WORKERS,
    }


def _loaded(corpus: Corpus, batch_tokens: int) -> float:
    """Tokens per second that arrive here from one worker process, its start left out."""
    loader = DataLoader(corpus.stream(batch_tokens, RANK_SHARE), batch_size=None, num_workers=1)
    batches = iter(loader)
    for _ in islice(batches, 5):  # the worker starts and fills its queue
        pass
    started, tokens = time.perf_counter(), 0
    for batch in islice(batches, 3 * BATCHES):
        tokens += batch["tok"].numel()
    return tokens / (time.perf_counter() - started)


def waste(corpus: Corpus) -> dict[str, Any]:
    """Share of positions without a node, padded to the longest and in the buckets of attention."""
    found = {}
    for budget in (4096, 16_384):
        stream = corpus.stream(budget, RANK_SHARE)
        nodes = places = 0
        longest = []
        for index in range(BATCHES):
            batch = stream.batch(index)
            nodes += batch["tok"].numel()
            places += sum(ChainStructure.of(batch).layout().sizes())
            longest.append(padding(batch))
        found[str(budget)] = {
            "buckets": 1 - nodes / places,
            "padded_to_the_longest": sum(longest) / len(longest),
            "outside_attention": 0.0,
        }
    return found
