from __future__ import annotations

from pathlib import Path

import pytest

from graphmer_geo.errors import UserError
from graphmer_geo.kg import facts
from graphmer_geo.results import read_result, result, write_result


def test_round_trip_with_everything_needed_to_repeat(tmp_path: Path) -> None:
    content = result("speed", {"seconds": 1.5}, seed=7, command="graphmer demo")
    write_result(tmp_path / "deep" / "speed.json", content)
    assert read_result(tmp_path / "deep" / "speed.json") == content
    assert {"command", "seed", "commit", "versions", "machine", "metrics"} <= set(content)
    assert content["versions"]["torch"].startswith("2.")
    assert content["compiled"] is not facts.__file__.endswith(".py")
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["speed.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 99}'])
def test_what_is_no_result_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"x\.json"):
        read_result(path)
