"""Are definitions in the graph what the language's own parser says? Precision and recall per kind.

Run: python -m benchmarks.kg_exact python [FOLDER…] [--out FILE]
     python -m benchmarks.kg_exact java [--java-home FOLDER] [--sources FOLDER] [--out FILE]
"""

from __future__ import annotations

import argparse
import shutil
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from benchmarks.corpora import pypi
from benchmarks.exact.classfile import read_jmod
from benchmarks.exact.java import compare as compare_java
from benchmarks.exact.javap import disagreements
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


def java(arguments: argparse.Namespace) -> None:
    """Compare the sources of java.base with its compiled classes."""
    home = arguments.java_home or Path(shutil.which("javap") or "bin/javap").resolve().parents[1]
    module = home / "jmods" / "java.base.jmod"
    classes = list(read_jmod(module))
    odd = disagreements(module, home / "bin" / "javap", arguments.javap)
    with tempfile.TemporaryDirectory() as temporary:
        sources = arguments.sources
        if sources is None:
            sources = Path(temporary) / "java.base"
            with zipfile.ZipFile(home / "lib" / "src.zip") as archive:
                archive.extractall(temporary, [n for n in archive.namelist() if n.startswith("java.base/")])
        include = arguments.include.split(",") if arguments.include else ()
        tally, notes = compare_java(sources, classes, include)
    print("\n".join(tally.lines()))
    print({name: value if isinstance(value, int) else len(value) for name, value in notes.items()})
    print(f"{arguments.javap} classes read with javap, too: {len(odd)} differences")
    check = {"classes": arguments.javap, "disagreements": odd}
    metrics = {**tally.metrics(), "notes": notes, "javap": check}
    write_result(arguments.out, result("kg-exact-java", metrics, seed=0))


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
    command = languages.add_parser("java", help="against the compiled classes of a JDK")
    command.add_argument("--java-home", type=Path, help="a JDK 17 with jmods and src.zip (default: javap's)")
    command.add_argument("--sources", type=Path, help="folder of java.base (default: from the JDK's src.zip)")
    command.add_argument("--include", default="", help="patterns of files, comma-separated (default: all)")
    command.add_argument("--javap", type=int, default=1000, help="classes to compare with javap's output")
    command.add_argument("--out", type=Path, default=RESULTS / "kg-exact-java.json")
    command.set_defaults(run=java)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
