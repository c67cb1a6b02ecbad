"""Metrics and the trivial baselines that every reported number stands beside. NumPy and torch only."""

from __future__ import annotations

from graphmer_geo.metrics.baselines import Baseline, Combined, LexicalCopy, Nearness, TailFrequency, Variant
from graphmer_geo.metrics.mlm import MaskedTokens, NGramBaseline, masked_tokens
from graphmer_geo.metrics.ngrams import CharacterNGrams
from graphmer_geo.metrics.queries import Entities, Queries, TailScorer
from graphmer_geo.metrics.ranking import (
    Ranks,
    expected_per_query,
    filtered_ranks,
    per_query,
    ranking_metrics,
    summarize,
)
from graphmer_geo.metrics.token_ngrams import TokenNGrams, token_contexts

__all__ = [
    "Baseline",
    "CharacterNGrams",
    "Combined",
    "Entities",
    "LexicalCopy",
    "MaskedTokens",
    "NGramBaseline",
    "Nearness",
    "Queries",
    "Ranks",
    "TailFrequency",
    "TailScorer",
    "TokenNGrams",
    "Variant",
    "expected_per_query",
    "filtered_ranks",
    "masked_tokens",
    "per_query",
    "ranking_metrics",
    "summarize",
    "token_contexts",
]
