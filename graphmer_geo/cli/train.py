"""``graphmer train``."""

from __future__ import annotations

from typing import Annotated

from graphmer_geo.cli.output import write_line
from graphmer_geo.cli.parser import Hidden
from graphmer_geo.data.config import ChainConfig
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import train as run
from graphmer_geo.train.run_folder import FROM_DATA

_SMALL, _CHAIN = GraphMERConfig.small(), ChainConfig()


def train(
    data: str,
    out: str,
    args: TrainArgs,
    model: Annotated[GraphMERConfig, Hidden(FROM_DATA)] = _SMALL,
    chain: ChainConfig = _CHAIN,
) -> None:
    """Train an encoder on prepared data.

    Options can come from a YAML file; those on the command line win. Ctrl-C saves a checkpoint, and
    `--resume true` continues from it.

    Args:
        data: Folder of `graphmer data prepare`.
        out: Run folder: weights, configuration, tokenizer, log and checkpoints.
        args: How to train.
        model: Sizes and switches of the encoder.
        chain: Which facts ride along with the code.

    Example:
        graphmer train --config small --data data/ --out run/ --max_steps 2000
        graphmer train --config small --print_config > mine.yaml
        graphmer train --config run/train.yaml --data data/ --out again/ --seed 1
    """
    run(data, out, args, model, chain)
    write_line(f"{out}: try `graphmer eval {out} --data {data} --split test`")
