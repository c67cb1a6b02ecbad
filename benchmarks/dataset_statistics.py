"""What a dataset holds: files, lines, entities, triples per relation, chains, visible tails, duplicates.

Run: python -m benchmarks.dataset_statistics stdlib pypi-20 jdk17 [--work FOLDER] [--jdk PATH] [--out FOLDER]

Makes each dataset in --work (or finds it there) and writes benchmarks/results/dataset-NAME.json. Nothing in
it is a time, so any machine will do.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from graphmer_geo.cli.output import progress_bar, write_table
from graphmer_geo.data import DataFolder, LeafyChainDataset
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.datasets import BuiltDataset, build_dataset
from graphmer_geo.datasets.cache import cache_folder
from graphmer_geo.errors import UserError
from graphmer_geo.results import result, write_result

RESULTS = Path(__file__).resolve().parent / "results"
CHAINS = 2000  #: chains of each split that are looked at for visible and hidden tails


def measure(built: BuiltDataset, chains: int = CHAINS, seed: int = 0) -> dict[str, Any]:
    """All numbers of one dataset."""
    data = built.data
    names = {index: name for name, index in data.relations.items()}
    relations = Counter(names[r] for r in data.triples["relation"].to_pylist())
    counts = data.manifest.counts
    files = [record for record in built.kg.manifest.files if record.status != "skipped"]
    return {
        "name": built.corpus.name,
        "projects": len(built.corpus.projects),
        "licenses": dict(sorted(Counter(p.project.license for p in built.corpus.projects).items())),
        "files": len(files),
        "lines": sum(record.lines for record in files),
        "languages": dict(sorted(Counter(record.language for record in files).items())),
        "files_removed": built.corpus.removed,
        "entities": data.entities.num_rows,
        "triples": data.triples.num_rows,
        "root_tokens": sum(split["tokens"] for split in counts.values()),
        "relations": dict(relations.most_common()),
        "splits": {
            split: {"units": sum(found == split for found in data.manifest.units.values()), **counts[split]}
            | visibility(data, split, chains, seed)
            for split in SPLITS
        },
    }


def visibility(data: DataFolder, split: str, chains: int, seed: int) -> dict[str, Any]:
    """Leaves of a sample of chains, and how many tails that may be asked for can be read in the chunk."""
    dataset = LeafyChainDataset(data, split, seed=seed)
    chosen = np.random.default_rng((seed, 0x57A7)).permutation(len(dataset))[:chains]
    triples = visible = targets = 0
    for index in np.sort(chosen).tolist():
        chain = dataset[index]
        asked = chain.triple_target.bool()
        triples += len(asked)
        targets += int(asked.sum())
        visible += int((chain.triple_visible.bool() & asked).sum())
    return {
        "sampled_chains": len(chosen),
        "triples_per_chain": round(triples / max(len(chosen), 1), 2),
        "targets_per_chain": round(targets / max(len(chosen), 1), 2),
        "visible_share": round(visible / targets, 4) if targets else None,
    }


def main() -> None:
    """Measure datasets."""
    parser = argparse.ArgumentParser(description="Count what datasets hold.")
    parser.add_argument("names", nargs="+", help="recipes")
    parser.add_argument("--work", type=Path, default=cache_folder() / "datasets", help="where they are made")
    parser.add_argument("--jdk", help="a JDK's src.zip or folder (default: $JAVA_HOME)")
    parser.add_argument("--chains", type=int, default=CHAINS, help="chains looked at, of each split")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    for name in arguments.names:
        try:
            with progress_bar() as progress:
                built = build_dataset(
                    name, arguments.work / Path(name).stem, jdk=arguments.jdk, progress=progress
                )
        except UserError as error:
            raise SystemExit(f"error: {error}") from None
        metrics = measure(built, arguments.chains)
        rows = [{"split": split, **counts} for split, counts in metrics["splits"].items()]
        write_table(rows, list(rows[0]))
        command = f"python -m benchmarks.dataset_statistics {name}"
        path = arguments.out / f"dataset-{built.corpus.name}.json"
        write_result(path, result("dataset", metrics, seed=0, command=command))
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
