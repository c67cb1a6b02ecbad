"""Using a trained encoder: evaluation beside baselines, vectors of code, search."""

from __future__ import annotations

from graphmer_geo.inference.embed import Embedder, embed
from graphmer_geo.inference.evaluate import evaluate
from graphmer_geo.inference.report import EvaluationReport
from graphmer_geo.inference.search import Hit, SearchIndex

__all__ = ["Embedder", "EvaluationReport", "Hit", "SearchIndex", "embed", "evaluate"]
