"""Which commands there are: names and one-line summaries, so that help needs to import nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Command:
    """One command of ``graphmer``.

    Args:
        words: What the user types, as in ``("kg", "build")``.
        function: ``module:function``, below :mod:`graphmer_geo.cli`.
        summary: One line for the list of commands.
        positionals: Parameters given by position. One that is annotated as a list takes all the rest.
        config: Whether ``--config`` and ``--print_config`` apply.
    """

    words: tuple[str, ...]
    function: str
    summary: str
    positionals: tuple[str, ...] = ()
    config: bool = False

    @property
    def name(self) -> str:
        """The words, joined by blanks."""
        return " ".join(self.words)

    def load(self) -> Callable[..., int | None]:
        """Import the function behind the command."""
        module, _, name = self.function.partition(":")
        function: Callable[..., Any] = getattr(import_module(f"graphmer_geo.cli.{module}"), name)
        return function


COMMANDS = (
    Command(
        ("kg", "build"), "kg:build", "build or update a knowledge graph from source folders", ("sources",)
    ),
    Command(
        ("kg", "query"), "kg:query", "run a SPARQL query, given, from a file or by name", ("kg", "sparql")
    ),
    Command(("kg", "validate"), "kg:validate", "check a graph against the ontology and its shapes", ("kg",)),
    Command(("kg", "stats"), "kg:stats", "count what is in a graph", ("kg",)),
    Command(("kg", "export"), "kg:export", "write a graph as nt, nq, ttl, graphml or parquet", ("kg",)),
    Command(("data", "fetch"), "data:fetch", "fetch and clean the code of a dataset", ("name",)),
    Command(("data", "build"), "data:build", "a dataset's graph and training data in one folder", ("name",)),
    Command(("data", "prepare"), "data:prepare", "split, tokenise and chain a graph for training", ("kg",)),
    Command(("data", "pack"), "data:pack", "copy prepared data compactly, to train elsewhere", ("data",)),
    Command(("train",), "train:train", "train an encoder on prepared data", config=True),
    Command(("tune",), "tune:tune", "search settings on held-out packages", config=True),
    Command(("plot",), "plot:plot", "draw how a training run went", ("run",)),
    Command(("eval",), "evaluate:evaluate", "MLM accuracy, MRR and Hits@k beside the baselines", ("run",)),
    Command(("embed",), "search:embed", "write the vectors of functions or files", ("run", "code")),
    Command(("finetune",), "search:finetune", "teach an encoder to find functions by what they do", ("run",)),
    Command(("search",), "search:search", "find functions by what they do", ("run", "query")),
    Command(("models", "register"), "models:register", "give a trained model a name and a version", ("run",)),
    Command(("models", "list"), "models:list_models", "list the models of the registry"),
    Command(("models", "show"), "models:show", "show what is known of a model", ("name",)),
    Command(("models", "promote"), "models:promote", "let a stage point at a version", ("name",)),
    Command(("models", "fetch"), "models:fetch", "copy a model out of the registry", ("name",)),
    Command(("models", "export"), "models:export", "copy a model, smaller and in pieces", ("run",)),
    Command(("demo",), "demo:demo", "the whole pipeline on real code, minutes on a laptop CPU"),
)

#: First words that stand for a group of commands.
GROUPS = {
    "kg": "build, query, validate, count and export knowledge graphs",
    "data": "fetch code, prepare training data",
    "models": "register, find, promote and copy trained models",
}


def find(words: list[str]) -> tuple[Command | None, list[str]]:
    """The command that ``words`` begins with, and the rest of the words."""
    for command in COMMANDS:
        if tuple(words[: len(command.words)]) == command.words:
            return command, words[len(command.words) :]
    return None, words
