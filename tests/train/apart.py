"""Run in a process of its own: trains where only a few packages (and what those need) can be imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from importlib.metadata import (
    Distribution,
    DistributionFinder,
    MetadataPathFinder,
    PackageNotFoundError,
    packages_distributions,
    requires,
)
from types import ModuleType

HAS = (
    "torch", "torch-geometric", "transformers", "accelerate", "tokenizers", "safetensors", "numpy", "pyarrow",
)  # fmt: skip

EVERYWHERE = DistributionFinder.Context()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: Sequence[str]) -> set[str]:
    """Distributions and everything that installing them brings."""
    found: set[str] = set()
    queue = [normal(name) for name in names]
    while queue:
        name = queue.pop()
        if name in found:
            continue
        found.add(name)
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        queue += [normal(re.split(r"[^\w.-]", need)[0]) for need in needed if "extra ==" not in need]
    return found


class Finder(DistributionFinder):
    """Finds what Python's own finder does, but for what is not to be there."""

    def __init__(self) -> None:
        self.allowed = allowed = closure(HAS) | {"graphmer-geo"}
        self.blocked = {
            module
            for module, owners in packages_distributions().items()
            if not {normal(owner) for owner in owners} & allowed
        }

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return None if name.partition(".")[0] in self.blocked else PathFinder.find_spec(name, path, target)

    def find_distributions(self, context: DistributionFinder.Context = EVERYWHERE) -> Iterator[Distribution]:
        found = MetadataPathFinder.find_distributions(context)
        return (one for one in found if normal(one.metadata["Name"]) in self.allowed)


if __name__ == "__main__":
    finder = Finder()
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, finder]
    for missing in ("rdflib", "pyoxigraph", "tree_sitter", "jsonargparse", "matplotlib", "mlflow"):
        assert missing in finder.blocked, missing
    data, out = sys.argv[1:]

    from graphmer_geo.models import GraphMER
    from graphmer_geo.train import load_settings, train

    settings = load_settings(
        "tiny", max_steps=2, batch_tokens=512, model={"num_layers": 1}, trackers=(), save_steps=2
    )
    train(data, out, settings.args, settings.model, settings.chain)
    assert GraphMER.from_pretrained(out).config.num_layers == 1
    more = load_settings(f"{out}/train.yaml", max_steps=3, resume=True)
    train(data, out, more.args, more.model, more.chain)

    from graphmer_geo.data.pairs import PairConfig
    from graphmer_geo.inference import embed
    from graphmer_geo.train.search import finetune

    pairs = PairConfig(min_words=1, min_lines=1, per_batch=2, buckets=64)
    finetune(out, data, f"{out}-search", settings.args, pairs)
    embed(f"{out}-search", data, f"{out}.npy")
    sys.stdout.write("trained\n")
