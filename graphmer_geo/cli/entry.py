"""Entry point: find the command, run it, and turn what the user can mend into one line and an exit status."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Sequence
from typing import TextIO

import graphmer_geo
from graphmer_geo.cli import registry
from graphmer_geo.errors import UserError

#: Exit statuses. 0: done; 1: done, and the answer is no (a graph that does not conform).
USAGE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141

#: Which extra brings a package that a command may find missing.
EXTRAS = {"transformers": "train", "accelerate": "train", "matplotlib": "viz", "jinja2": "viz",
          "mlflow": "track", "tensorboard": "track", "optuna": "hpo", "faiss": "search"}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``graphmer`` with ``argv`` (default: of this process) and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = "graphmer"
    try:
        command, rest = registry.find(words)
        if command is None:
            return _overview(words)
        name = f"graphmer {command.name}"
        return _run(command, rest)
    except UserError as error:
        return _complain(name, str(error))
    except BrokenPipeError:
        # The reader went away (`| head`). Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        return _complain(name, f"{error.strerror or error}{place}")
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        return _complain(name, f"this needs {error.name}: pip install 'graphmer-geo[{extra}]'")
    except KeyboardInterrupt as interrupt:
        message = str(interrupt) or "interrupted; what was complete before is intact"
        sys.stderr.write(f"\n{name}: {message}\n")
        return INTERRUPTED


def _run(command: registry.Command, words: list[str]) -> int:
    # Imported here: `graphmer --help` and `--version` need no parser.
    from argparse import ArgumentError

    from graphmer_geo.cli.parser import arguments_of, build_parser, resolve_config_names

    logging.basicConfig(format="%(message)s", level=logging.INFO if sys.stderr.isatty() else logging.WARNING)
    function = command.load()
    parser = build_parser(command, function)
    try:
        parsed = parser.parse_args(resolve_config_names(words) if command.config else words)
    except ArgumentError as error:
        message = re.sub(r'^Parser key "([\w.]+)":', r"\1:", str(error))
        raise UserError(f"{message} (see graphmer {command.name} --help)") from None
    except SystemExit as stop:  # --help and --print_config have printed what they had to
        return int(stop.code or 0)
    return function(**arguments_of(function, vars(parser.instantiate(parsed)))) or 0


def _overview(words: list[str]) -> int:
    """Help, the version, or a complaint about a command that does not exist."""
    group = words[0] if words and words[0] in registry.GROUPS else None
    rest = words[1:] if group else words
    if rest and rest[0] == "--version" and group is None:
        sys.stdout.write(f"graphmer-geo {graphmer_geo.__version__}\n")
        return 0
    if rest and rest[0] not in ("-h", "--help"):
        raise UserError(f"no command {' '.join(words[: 2 if group else 1])!r}: graphmer --help lists them")
    _write_commands(sys.stdout if rest else sys.stderr, group)
    return 0 if rest else USAGE


def _write_commands(stream: TextIO, group: str | None) -> None:
    commands = [c for c in registry.COMMANDS if group is None or c.words[0] == group]
    width = max(len(c.name) for c in commands)
    title = registry.GROUPS[group] if group else "source code to a knowledge graph to a trained encoder"
    stream.write(f"usage: graphmer {group or 'COMMAND'} …   {title}\n\ncommands:\n")
    for command in commands:
        stream.write(f"  {command.name.ljust(width)}   {command.summary}\n")
    stream.write("\nexample:\n  graphmer kg build src/ --out kg/ && graphmer kg stats kg/\n")
    stream.write("\n`graphmer COMMAND --help` says more about each; start with `graphmer demo`.\n")


def _complain(name: str, message: str) -> int:
    sys.stderr.write(f"{name}: {' '.join(message.split())}\n")
    return USAGE
