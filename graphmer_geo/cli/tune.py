"""``graphmer tune``."""

from __future__ import annotations

from typing import Annotated

from graphmer_geo.cli.output import write_json, write_line
from graphmer_geo.cli.parser import Hidden
from graphmer_geo.data.config import ChainConfig
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run_folder import FROM_DATA, RunSettings

_SMALL, _CHAIN = GraphMERConfig.small(), ChainConfig()


def tune(
    data: str,
    out: str,
    args: TrainArgs,
    trials: int = 20,
    model: Annotated[GraphMERConfig, Hidden(FROM_DATA)] = _SMALL,
    chain: ChainConfig = _CHAIN,
    json: bool = False,
) -> None:
    """Search learning rate, batch, curriculum, weight decay and the weights of the losses.

    Trials that are worse than the median are ended early; what counts in the end is the loss on held-out
    packages. The same command again goes on with a search that was stopped.

    Args:
        data: Folder of `graphmer data prepare`.
        out: Folder of the search: report.md, best.yaml, and a run folder per trial.
        args: How to train; what is searched is set anew for each trial.
        trials: Trials in all.
        model: Sizes and switches of the encoder.
        chain: Which facts ride along with the code.
        json: Print the results as JSON.

    Example:
        graphmer tune --config small --data data/ --out search/ --max_steps 300 --trials 20
    """
    from graphmer_geo.train.tune import tune as search

    found = search(data, out, RunSettings(args, model, chain), trials)
    if json:
        write_json(found)
    else:
        write_line(f"{out}/report.md: try `graphmer train --config {out}/best.yaml --data {data} --out run/`")
