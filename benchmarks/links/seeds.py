"""What several seeds say: means, 95 % intervals, and intervals of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from graphmer_geo.errors import UserError

Cells = dict[str, dict[str, Any]]  # scorer -> metric -> value


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean and 95 % interval of the mean by Student's t; the interval is None with one value.

    Raises:
        UserError: A value is not a number.
    """
    found = np.asarray(values, np.float64)
    if not np.isfinite(found).all():
        bad = found[~np.isfinite(found)][0]
        raise UserError(f"a score is {bad}; has training diverged? Nothing is written")
    mean = float(found.mean())
    if len(found) < 2:
        return {"mean": mean, "low": None, "high": None, "values": found.tolist()}
    half = float(student.ppf(0.975, len(found) - 1) * found.std(ddof=1) / np.sqrt(len(found)))
    return {"mean": mean, "low": mean - half, "high": mean + half, "values": found.tolist()}


def over_seeds(runs: Sequence[Mapping[str, Cells]]) -> dict[str, Cells]:
    """Group -> scorer -> metric -> interval, of the groups and scorers that every seed has."""
    groups = [g for g in runs[0] if all(g in run for run in runs)]
    return {
        group: {
            scorer: {
                metric: interval([run[group][scorer][metric] for run in runs])
                for metric in runs[0][group][scorer]
            }
            for scorer in runs[0][group]
        }
        for group in groups
    }


def differences(
    runs: Sequence[Mapping[str, Cells]], reference: str, metric: str = "mrr"
) -> dict[str, dict[str, Any]]:
    """Group -> scorer -> interval of (reference - scorer), paired by seed; above 0: reference is better."""
    found: dict[str, dict[str, Any]] = {}
    for group in runs[0]:
        if all(reference in run.get(group, {}) for run in runs):
            cells = [run[group] for run in runs]
            found[group] = {
                scorer: interval([cell[reference][metric] - cell[scorer][metric] for cell in cells])
                for scorer in cells[0]
                if scorer != reference
            }
    return found
