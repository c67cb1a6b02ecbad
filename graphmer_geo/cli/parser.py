"""From a typed function to its argument parser."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

from docstring_parser import Docstring, DocstringStyle
from docstring_parser import parse as parse_docstring
from jsonargparse import ActionConfigFile, ArgumentParser, DefaultHelpFormatter, set_parsing_settings

from graphmer_geo.cli.registry import Command
from graphmer_geo.configs import config_path, shipped_configs

set_parsing_settings(docstring_parse_attribute_docstrings=True)


@dataclasses.dataclass(frozen=True)
class Hidden:
    """Marks, inside ``Annotated``, fields of a dataclass that are not the user's to set."""

    fields: tuple[str, ...]


class _Formatter(RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Keeps the line breaks of examples."""


def build_parser(command: Command, function: Callable[..., Any]) -> ArgumentParser:
    """The parser of ``command``: positionals, options and, from the docstring, help and an example.

    A parameter that is a dataclass becomes one option per field: at the top level if the parameter is
    required, else below its own name (``--model.hidden_size``), starting from the parameter's default.
    """
    doc = parse_docstring(inspect.getdoc(function) or "", style=DocstringStyle.GOOGLE)
    parser = ArgumentParser(
        prog=f"graphmer {command.name}",
        description="\n\n".join(filter(None, (doc.short_description, doc.long_description))),
        epilog=_examples(doc),
        formatter_class=_Formatter,
        exit_on_error=False,
        allow_abbrev=False,  # a misspelt option must not pass for another
    )
    if command.config:
        names = ", ".join(shipped_configs())
        parser.add_argument("--config", action=ActionConfigFile, help=f"YAML file, or a shipped one: {names}")
    described = {param.arg_name: param.description for param in doc.params}
    hints = typing.get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        hint, hidden = _unwrap(hints[name])
        if not dataclasses.is_dataclass(hint):
            _add(parser, command, parameter, hint, described.get(name))
        elif parameter.default is inspect.Parameter.empty:
            parser.add_class_arguments(hint, nested_key=None, as_group=True, skip=set(hidden))
        else:
            parser.add_class_arguments(hint, nested_key=name, as_group=True, skip=set(hidden))
            defaults = dataclasses.asdict(parameter.default)
            parser.set_defaults({f"{name}.{key}": defaults[key] for key in defaults.keys() - set(hidden)})
    return parser


def arguments_of(function: Callable[..., Any], parsed: dict[str, Any]) -> dict[str, Any]:
    """Turn what was parsed into keyword arguments, flat options of a dataclass gathered into it."""
    hints = typing.get_type_hints(function)
    arguments: dict[str, Any] = {}
    for name in inspect.signature(function).parameters:
        if name in parsed:
            arguments[name] = parsed[name]
        else:
            keys = [f.name for f in dataclasses.fields(hints[name]) if f.name in parsed]
            arguments[name] = hints[name](**{key: parsed[key] for key in keys})
    return arguments


def resolve_config_names(words: list[str]) -> list[str]:
    """Replace the name of a shipped configuration after ``--config`` by its path; a file wins over a name."""
    resolved = list(words)
    for index, word in enumerate(words):
        if word == "--config" and index + 1 < len(words):
            resolved[index + 1] = str(config_path(words[index + 1]))
        elif word.startswith("--config="):
            resolved[index] = f"--config={config_path(word.partition('=')[2])}"
    return resolved


def _add(
    parser: ArgumentParser, command: Command, parameter: inspect.Parameter, hint: Any, description: str | None
) -> None:
    """Add one argument."""
    name, required = parameter.name, parameter.default is inspect.Parameter.empty
    options: dict[str, Any] = {"help": description}
    if many := _is_list(hint):
        options["nargs"], hint = "+", str
    if name in command.positionals:
        if not (many or required):
            options["nargs"] = "?"
        parser.add_argument(name, type=hint, **options)
        return
    # With an underscore or a dash: people write either.
    spellings = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
    if hint is bool:
        parser.add_argument(*spellings, action="store_true", default=parameter.default, **options)
        return
    if not required:
        options["default"] = parameter.default
    parser.add_argument(*spellings, type=hint, required=required, **options)


def _unwrap(hint: Any) -> tuple[Any, tuple[str, ...]]:
    """The type behind ``Annotated``, and the fields to hide."""
    if typing.get_origin(hint) is not typing.Annotated:
        return hint, ()
    inner, *marks = typing.get_args(hint)
    return inner, tuple(name for mark in marks if isinstance(mark, Hidden) for name in mark.fields)


def _is_list(hint: Any) -> bool:
    """Whether ``hint`` is ``list[str]`` or ``list[str] | None``."""
    return hint == list[str] or list[str] in typing.get_args(hint)


def _examples(doc: Docstring) -> str:
    lines = [line for example in doc.examples for line in (example.description or "").splitlines()]
    return "example:\n" + "\n".join(f"  {line.strip()}" for line in lines) if lines else ""
