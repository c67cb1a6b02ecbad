"""Training: candidates, the batch stream, the trainer and the run folder it writes."""

from __future__ import annotations

from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.candidates import CandidateSampler
from graphmer_geo.train.run import TrainingInterrupted, train
from graphmer_geo.train.run_folder import RunSettings, load_settings
from graphmer_geo.train.stream import TokenBudgetStream

__all__ = [
    "CandidateSampler",
    "RunSettings",
    "TokenBudgetStream",
    "TrainArgs",
    "TrainingInterrupted",
    "load_settings",
    "train",
]
