"""The command line as a user meets it: help, errors in one line, exit statuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from graphmer_geo.cli import main, registry
from graphmer_geo.cli.registry import COMMANDS, Command


def graphmer(*words: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "graphmer_geo", *words]
    return subprocess.run(command, capture_output=True, text=True, **kwargs)  # type: ignore[call-overload,no-any-return]


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in COMMANDS:
        assert f"  {command.name} " in shown
        assert command.summary in shown
    assert "example:" in shown


def test_help_of_a_group_lists_its_commands_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kg", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "kg build" in shown
    assert "data prepare" not in shown


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_of_each_command_has_an_example(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"usage: graphmer {command.name}" in shown
    assert "\nexample:\n  graphmer " in shown


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        main([*command.words, "--help"])
        shown = capsys.readouterr().out
        options = shown[shown.index("\noptions:") :]
        undescribed = [
            line
            for line in options.splitlines()
            if line.startswith("  --") and line.endswith(("(required)", ")\n"))
        ]
        assert not undescribed, (command.name, undescribed)


def test_version() -> None:
    done = graphmer("--version")
    assert (done.returncode, done.stdout) == (0, "graphmer-geo 0.1.0\n")


def test_no_words_is_a_usage_error_that_shows_help() -> None:
    done = graphmer()
    assert done.returncode == 2
    assert done.stdout == ""
    assert "kg build" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bogus"], "graphmer: no command 'bogus'"),
        (["kg", "bogus"], "graphmer: no command 'kg bogus'"),
        (["kg", "build"], "graphmer kg build: the following arguments are required: sources, out"),
        (["kg", "build", "x", "--out", "y", "--zip"], "unrecognized arguments: --zip"),
        (["kg", "build", "x", "--out", "y", "--worker", "2"], "unrecognized arguments: --worker"),
        (["kg", "build", "x", "--out", "y", "--workers", "many"], "workers: "),
        (["kg", "export", "x", "--format", "docx", "--out", "y"], "format: "),
        (["kg", "query", "x"], "give one query"),
        (["kg", "query", "x", "q", "--name", "n"], "give one query"),
        (["kg", "query", "x", "--name", "nope"], "no query named 'nope'"),
        (["kg", "query", "x", "--file", "nowhere.rq"], "No such file or directory: nowhere.rq"),
        (["kg", "query", "x", "q", "--bind", "function"], "--bind takes NAME=VALUE, not 'function'"),
        (["kg", "query", "x", "--name", "callers"], "this query needs a value: --bind function=…"),
        (["kg", "stats", "nowhere"], "knowledge graph 'nowhere' does not exist"),
        (["train", "--data", "x", "--out", "y"], "a run needs an end"),
        (["train", "--config", "nope"], "no configuration 'nope': give a YAML file or one of "),
    ],
)
def test_mistakes_get_one_line_and_status_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("graphmer")


def failing(error: BaseException) -> Command:
    """A command that raises ``error``."""

    class Failing(Command):
        def load(self):  # type: ignore[no-untyped-def]
            def run() -> None:
                raise error

            return run

    return Failing(("fail",), "", "fails")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "\ngraphmer fail: interrupted; what was complete before is intact\n"),
        (KeyboardInterrupt("stopped at step 7"), 130, "\ngraphmer fail: stopped at step 7\n"),
        (PermissionError(13, "Permission denied", "a/b"), 2, "graphmer fail: Permission denied: a/b\n"),
        (OSError(28, "No space left on device"), 2, "graphmer fail: No space left on device\n"),
        (
            ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib"),
            2,
            "graphmer fail: this needs matplotlib: pip install 'graphmer-geo[viz]'\n",
        ),
    ],
)
def test_what_goes_wrong_while_running(
    error: BaseException,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(registry, "COMMANDS", (failing(error),))
    assert main(["fail"]) == status
    assert capsys.readouterr().err == message


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "COMMANDS", (failing(ZeroDivisionError("a bug")),))
    with pytest.raises(ZeroDivisionError):
        main(["fail"])
