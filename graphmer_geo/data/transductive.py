"""The other setting of link prediction: code that is known, facts that are held out."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from graphmer_geo.data.config import ChainConfig
from graphmer_geo.data.folder import FORMAT, DataFolder, DataManifest
from graphmer_geo.data.shards import shard_file, shard_folder, write_parquet
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.errors import UserError
from graphmer_geo.kg.folder import replaced_folder


def transductive(
    data: DataFolder | str | Path,
    out: str | Path,
    *,
    fraction: float = 0.1,
    seed: int = 0,
    chain: ChainConfig | None = None,
) -> DataManifest:
    """Write the training code of ``data`` as a data folder whose splits are of facts, not of code.

    All three splits have the chunks of the old train split. Of its facts that may be asked for, a share is
    drawn for validation and the same for test. All facts between the same two entities, in whichever
    direction and relation, stay together, so no inverse or twin of a held-out fact is trained on; what an
    ontology would infer from other facts is not looked at.

    Args:
        data: Prepared data.
        out: Folder to write; one of the same kind is replaced.
        fraction: Share of the facts for validation, and for test.
        seed: Of the draw.
        chain: Which relations may be asked for.

    Raises:
        UserError: The share is out of range, or there are too few facts.
    """
    folder = data if isinstance(data, DataFolder) else DataFolder.open(data)
    target = Path(out)
    if not 0 < fraction < 0.5:
        raise UserError(f"fraction is {fraction}; give a share between 0 and 0.5")
    if target.exists() and not (target / "manifest.json").is_file():
        raise UserError(f"{str(target)!r} exists and is not prepared data; choose another folder")
    table = folder.triples
    table = table.filter(np.array(table["split"].to_pylist()) == "train")
    split = _draw(folder, table, chain or ChainConfig(), fraction, seed)
    place = table.schema.get_field_index("split")
    table = table.set_column(place, "split", pa.array(split))
    counts = {name: int((split == name).sum()) for name in SPLITS}
    if not all(counts.values()):
        raise UserError(f"{table.num_rows} facts are too few to hold some out; prepare data from more code")
    parts = {"parent": folder.manifest.fingerprint, "fraction": fraction, "seed": seed}
    manifest = replace(
        folder.manifest,
        fingerprint=hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(),
        config=replace(folder.manifest.config, curriculum=()),
        format=FORMAT,
        units={unit: name for unit, name in folder.manifest.units.items() if name == "train"},
        shards={shard_folder(name): folder.shard_sizes("train") for name in SPLITS},
        counts={name: {**folder.manifest.counts["train"], "triples": counts[name]} for name in SPLITS},
    )
    with replaced_folder(target) as made:
        folder.tokenizer.save(made / "tokenizer.json")
        shutil.copyfile(folder.path / "relations.json", made / "relations.json")
        shutil.copyfile(folder.path / "entities.parquet", made / "entities.parquet")
        write_parquet(table, made / "triples.parquet")
        for name in SPLITS:
            (made / "chunks" / shard_folder(name)).mkdir(parents=True)
            for number, path in enumerate(folder.shards("train")):
                shutil.copyfile(path, made / "chunks" / shard_folder(name) / shard_file(number))
        manifest.save(made)
    return manifest


def _draw(folder: DataFolder, table: pa.Table, chain: ChainConfig, fraction: float, seed: int) -> np.ndarray:
    """The split of each fact."""
    head, relation, tail = (table[name].to_numpy() for name in ("head", "relation", "tail"))
    names = {index: name for name, index in folder.relations.items()}
    askable = np.array([chain.is_target(names[r]) for r in relation.tolist()], bool)
    askable &= ~table["heuristic"].to_numpy(zero_copy_only=False).astype(bool) & (head != tail)
    low, high = np.minimum(head, tail).astype(np.int64), np.maximum(head, tail).astype(np.int64)
    pairs, pair = np.unique(low * folder.entities.num_rows + high, return_inverse=True)
    # Every fact of a pair must be askable: containment that goes with the code cannot be held out.
    drawable = np.ones(len(pairs), bool)
    drawable[pair[~askable]] = False
    order = np.random.default_rng((seed, 0x7A)).permutation(np.flatnonzero(drawable))
    share = round(fraction * len(order))
    chosen = np.full(len(pairs), SPLITS.index("train"))
    chosen[order[:share]] = SPLITS.index("validation")
    chosen[order[share : 2 * share]] = SPLITS.index("test")
    return np.array(SPLITS)[chosen[pair]]
