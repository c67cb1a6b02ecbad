"""Metrics and the trivial baselines that every reported number stands beside."""

from __future__ import annotations

from graphmer_geo.metrics.ranking import Ranks, expected_per_query, filtered_ranks, per_query, ranking_metrics, summarize

__all__ = ["Ranks", "expected_per_query", "filtered_ranks", "per_query", "ranking_metrics", "summarize"]
