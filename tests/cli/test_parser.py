"""One typed function is the command line and the YAML schema."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from jsonargparse import ArgumentParser

from graphmer_geo.cli.entry import main
from graphmer_geo.cli.parser import Hidden, arguments_of, build_parser, resolve_config_names, shipped_configs
from graphmer_geo.cli.registry import COMMANDS, Command
from graphmer_geo.errors import UserError


@dataclass(frozen=True)
class Flat:
    """Settings.

    Args:
        rate: How fast.
        steps: How long.
    """

    rate: float = 0.5
    steps: int | None = None


@dataclass(frozen=True)
class Nested:
    """More settings."""

    size: int = 1
    """How big."""
    internal: str = ""
    """Not the user's."""


def command(
    words: list[str],
    out: str,
    args: Flat,
    deep: Annotated[Nested, Hidden(("internal",))] = Nested(7),
    loud: bool = False,
) -> None:
    """Do something.

    Args:
        words: Some words.
        out: Where to.
        args: How.
        deep: Deeper.
        loud: Say it aloud.

    Example:
        graphmer do a b --out c
    """


SPEC = Command(("do",), "", "does", positionals=("words",), config=True)


def parse(*argv: str) -> dict[str, Any]:
    parser: ArgumentParser = build_parser(SPEC, command)
    return arguments_of(command, vars(parser.instantiate(parser.parse_args(list(argv)))))


def test_positionals_options_flags_and_dataclasses() -> None:
    assert parse("a", "b", "--out", "c", "--rate", "2", "--loud") == {
        "words": ["a", "b"],
        "out": "c",
        "args": Flat(rate=2.0),
        "deep": Nested(7),
        "loud": True,
    }


def test_yaml_fills_in_and_the_command_line_wins(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("rate: 3.0\nsteps: 4\ndeep:\n  size: 5\n")
    got = parse("a", "--config", str(config), "--out", "c", "--steps", "9")
    assert got["args"] == Flat(3.0, 9)
    assert got["deep"] == Nested(5)


@pytest.mark.parametrize("text", ["rat: 3.0\n", "deep:\n  sise: 5\n", "deep:\n  internal: x\n"])
def test_unknown_keys_are_errors(text: str, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(text)
    with pytest.raises(Exception, match="not accept"):
        parse("a", "--config", str(config), "--out", "c")


def test_help_has_descriptions_of_fields() -> None:
    shown = build_parser(SPEC, command).format_help()
    for text in (
        "Some words.",
        "How fast.",
        "How big.",
        "Say it aloud.",
        "example:\n  graphmer do a b --out c",
    ):
        assert text in shown
    assert "internal" not in shown


def test_names_of_shipped_configurations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (["--config", "tiny"], ["--config", "tiny.yaml"], ["--config=tiny"]):
        path = resolve_config_names(words)[-1].removeprefix("--config=")
        assert Path(path).name == "tiny.yaml"
        assert Path(path).is_file()
    (tmp_path / "tiny.yaml").write_text("seed: 1\n")
    assert resolve_config_names(["--config", "tiny.yaml"]) == ["--config", "tiny.yaml"]
    with pytest.raises(UserError, match=r"cpu\.yaml"):
        resolve_config_names(["--config", "huge"])


@pytest.mark.parametrize("name", shipped_configs())
def test_shipped_configurations_fit_the_train_command(name: str) -> None:
    train = next(c for c in COMMANDS if c.name == "train")
    function = train.load()
    text = (resources.files("graphmer_geo") / "configs" / name).read_text(encoding="utf-8")
    assert text.startswith("# ")
    words = resolve_config_names(["--config", name, "--data", "d", "--out", "o"])
    parser = build_parser(train, function)
    got = arguments_of(function, vars(parser.instantiate(parser.parse_args(words))))
    for key, value in yaml.safe_load(text).items():
        if isinstance(value, dict):
            assert {k: getattr(got[key], k) for k in value} == value
        else:
            found = getattr(got["args"], key)
            assert (list(found) if isinstance(found, tuple) else found) == value
    sizes = [getattr(got["model"], k) for k in ("hidden_size", "num_layers", "num_heads", "ffn_size")]
    assert (sizes == [768, 12, 12, 3072]) == (name not in ("tiny.yaml", "small.yaml"))


def test_the_shipped_configurations_are_these() -> None:
    names = ["cpu", "gpu", "kaggle", "scaling", "small", "tiny", "tpu"]
    assert shipped_configs() == [f"{name}.yaml" for name in names]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("learning_rat: 1.0e-3", "learning_rat"),
        ("model:\n  swiglu: true", "swiglu"),
        ("chain:\n  depth: 3", "depth"),
    ],
)
def test_a_key_that_nothing_reads_ends_the_command(
    line: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"max_steps: 3\n{line}\n")
    assert main(["train", "--config", str(path), "--data", "d", "--out", str(tmp_path / "o")]) == 2
    assert key in capsys.readouterr().err


def test_any_field_can_be_overridden() -> None:
    train = next(c for c in COMMANDS if c.name == "train")
    function = train.load()
    words = [
        "--config", "scaling", "--data", "d", "--out", "o", "--root_lengths", "[128,256,512]", "--root_steps",
        "[10,20]", "--precision", "fp32", "--resume", "auto", "--model.num_layers", "2",
        "--chain.inverse", "false",
    ]  # fmt: skip
    parser = build_parser(train, function)
    got = arguments_of(function, vars(parser.instantiate(parser.parse_args(resolve_config_names(words)))))
    args = got["args"]
    assert (args.root_lengths, args.root_steps) == ((128, 256, 512), (10, 20))
    assert (args.precision, args.resume, args.accumulation) == ("fp32", "auto", 32)
    assert (got["model"].num_layers, got["chain"].inverse, got["chain"].max_roots) == (2, False, 512)
