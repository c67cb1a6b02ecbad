"""Using a trained encoder: evaluation beside baselines."""

from __future__ import annotations

from graphmer_geo.inference.evaluate import evaluate
from graphmer_geo.inference.report import EvaluationReport

__all__ = ["EvaluationReport", "evaluate"]
