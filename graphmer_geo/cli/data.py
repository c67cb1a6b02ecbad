"""``graphmer data``: code by recipe, and training data."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from graphmer_geo.cli.output import progress_bar, write_json, write_line, write_table
from graphmer_geo.data.config import DataConfig


def fetch(name: str, jdk: str | None = None, json: bool = False) -> None:
    """Fetch the code of a dataset into the cache, check it against its recipe and clean it.

    Packages come through pip, once: a second run needs no network, and one that was interrupted goes on.
    Nothing that is fetched is run. Vendored copies, generated files and duplicates are left out.

    Args:
        name: A recipe that ships with graphmer-geo (stdlib, pypi-20, pypi-200, jdk17, mixed), or a YAML file.
        jdk: src.zip of a JDK, its folder, or the folder of its unpacked sources (default: $JAVA_HOME).
        json: Print projects, versions, licences, hashes and counts as JSON.

    Example:
        graphmer data fetch pypi-20
    """
    from graphmer_geo.datasets import fetch_corpus

    with progress_bar() as progress:
        corpus = fetch_corpus(name, jdk=jdk, progress=progress)
    if json:
        write_json(corpus.to_dict())
        return
    rows: dict[str, Counter[str]] = {}
    for clean in corpus.projects:
        split = corpus.split_of(clean.project.name) or "by package"
        counts = {"projects": 1, "files": len(clean.project.include or ())}
        rows.setdefault(split, Counter()).update(counts | clean.removed)
    columns = ["split", *dict.fromkeys(key for counts in rows.values() for key in counts)]
    none = dict.fromkeys(columns[1:], 0)
    write_table([{"split": split, **none, **counts} for split, counts in rows.items()], columns)
    write_line(f"try `graphmer data build {name} --out {corpus.name}/`")


def build(
    name: str,
    out: str,
    config: DataConfig = DataConfig(),  # noqa: B008
    jdk: str | None = None,
    workers: int = 2,
) -> None:
    """Make the graph and the training data of a dataset: ``OUT/kg`` and ``OUT/data``.

    Split as the recipe says, whatever --config.unit, --config.test_units, --config.validation_units and
    --config.seed are. What is up to date is not made again.

    Args:
        name: As for `graphmer data fetch`.
        out: Folder to write to.
        config: Settings of the training data.
        jdk: As for `graphmer data fetch`.
        workers: Processes.

    Example:
        graphmer data build pypi-20 --out pypi-20/
    """
    from graphmer_geo.datasets import build_dataset

    with progress_bar() as progress:
        built = build_dataset(name, out, config, jdk=jdk, workers=workers, progress=progress)
    rows = [{"split": split, **counts} for split, counts in built.data.manifest.counts.items()]
    write_table(rows, list(dict.fromkeys(key for row in rows for key in row)))
    write_line(f"{built.data.path}: try `graphmer train --config small --data {built.data.path} --out run/`")


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


def pack(data: str, out: str, max_mb: float | None = None) -> None:
    """Copy prepared data compactly, to be carried to a machine that only trains.

    Leaves out what only preparation needed. If the copy would still be too large, training chunks of whole
    source files are left out; the graph, validation and test stay complete.

    Args:
        data: Folder of `graphmer data prepare`.
        out: Folder of the copy; replaced if it is there.
        max_mb: Most megabytes (10^6 bytes).

    Example:
        graphmer data pack data/ --out packed/ --max-mb 60
    """
    from graphmer_geo.data.pack import pack as pack_data

    packed = pack_data(data, out, max_mb)
    write_line(f"{out}: {packed.bytes / 1e6:.1f} MB, {packed.chunks:,} of {packed.of:,} training chunks")
