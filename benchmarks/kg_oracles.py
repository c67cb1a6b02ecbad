"""Do calls on real code lead where other resolvers say? Agreement, coverage and every kind of difference.

Run: python -m benchmarks.kg_oracles java --jdk src.zip [--sites 3000] [--seed 0] [--out FILE]
     python -m benchmarks.kg_oracles python [--packages NAME …] [--sites 3000] [--seed 0] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.corpora import jdk, pypi
from benchmarks.oracles import javac, jedi_calls
from graphmer_geo.errors import UserError
from graphmer_geo.kg import build_kg
from graphmer_geo.results import result, write_result

#: Ten packages of different style: asynchronous, metaprogramming, typed, web, numeric.
PACKAGES = "anyio attrs click flask httpx jinja2 marshmallow mpmath requests rich".split()


def java(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare call sites of java.base with javac's own attribution."""
    source = jdk(arguments.jdk)
    root = Path(source.path)
    paths = sorted(p.relative_to(root).as_posix() for p in root.rglob("*.java") if "-info" not in p.name)
    sites = javac.sample(root, paths, "java.base", arguments.files, arguments.sites, arguments.seed)
    kg = build_kg([source], workers=arguments.workers)
    return javac.compare(kg, sites, f"java/{source.package}/{source.version}/")


def python(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare call sites of PyPI packages with jedi."""
    return jedi_calls.compare(pypi(arguments.packages), arguments.sites, arguments.seed)


def main() -> None:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(
        description="Compare call targets with other resolvers.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("java", help="against javac, on java.base")
    command.add_argument("--jdk", type=Path, required=True, help="src.zip of a JDK 17, or what it unpacks to")
    command.add_argument("--files", type=int, default=400, help="files that javac attributes (default: 400)")
    command.add_argument("--sites", type=int, default=3000, help="call sites to compare (default: 3000)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--workers", type=int, default=1)
    command.add_argument("--out", type=Path, help="result file to write")
    command = commands.add_parser("python", help="against jedi, on ten PyPI packages")
    command.add_argument("--packages", nargs="+", default=PACKAGES, help="of datasets/pypi-20.yaml")
    command.add_argument("--sites", type=int, default=3000, help="call sites to compare (default: 3000)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", type=Path, help="result file to write")
    arguments = parser.parse_args()
    try:
        found = java(arguments) if arguments.command == "java" else python(arguments)
    except UserError as error:
        raise SystemExit(f"kg_oracles: {error}") from None
    print(json.dumps({**found, "examples": {k: v[:3] for k, v in found["examples"].items()}}, indent=1))
    if arguments.out:
        write_result(arguments.out, result(f"kg-oracles-{arguments.command}", found, seed=arguments.seed))


if __name__ == "__main__":
    main()
