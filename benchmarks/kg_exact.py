"""Are definitions in the graph what the language's own parser says? Precision and recall per kind.

Run: python -m benchmarks.kg_exact python [FOLDER…] [--out FILE]
"""

from __future__ import annotations

import argparse
import sysconfig
from pathlib import Path

from benchmarks.corpora import pypi
from benchmarks.exact.python import compare as compare_python
from graphmer_geo.kg.sources import Source
from graphmer_geo.results import result, write_result

RESULTS = Path(__file__).parent / "results"


def python(arguments: argparse.Namespace) -> None:
    """Compare with `ast` and `symtable`."""
    sources = [Source(folder) for folder in arguments.folders]
    if not sources:
        sources = [Source(sysconfig.get_path("stdlib"), package="stdlib"), *pypi()]
    tally, files = compare_python(sources)
    print("\n".join(tally.lines()))
    print({name: value if isinstance(value, int) else len(value) for name, value in files.items()})
    write_result(arguments.out, result("kg-exact-python", {**tally.metrics(), "files": files}, seed=0))


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    languages = parser.add_subparsers(required=True)
    command = languages.add_parser("python", help="against ast and symtable")
    command.add_argument(
        "folders", nargs="*", type=Path, help="default: the standard library, and the packages of corpora.py"
    )
    command.add_argument("--out", type=Path, default=RESULTS / "kg-exact-python.json")
    command.set_defaults(run=python)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
