"""``graphmer data``: training data."""

from __future__ import annotations

from dataclasses import asdict

from graphmer_geo.cli.output import progress_bar, write_json, write_line, write_table
from graphmer_geo.data.config import DataConfig


def prepare(kg: str, out: str, config: DataConfig, json: bool = False) -> None:
    """Turn a knowledge graph and its source code into training data.

    Splits by top-level package, trains a tokenizer on the train split, and cuts the code into chunks. The
    source files must still be where they were when the graph was built, unchanged.

    Args:
        kg: Folder of the graph.
        out: Folder of the data; data of an earlier run is replaced.
        config: Settings.
        json: Print the manifest as JSON.

    Example:
        graphmer data prepare kg/ --out data/ --vocab_size 8192
    """
    from graphmer_geo.data import prepare as prepare_data

    with progress_bar() as progress:
        manifest = prepare_data(kg, out, config, progress=progress)
    if json:
        write_json(asdict(manifest))
    else:
        rows = [{"split": split, **counts} for split, counts in manifest.counts.items()]
        write_table(rows, list(dict.fromkeys(key for row in rows for key in row)))
        write_line(f"{out}: try `graphmer train --config small --data {out} --out run/`")
