from __future__ import annotations

from pathlib import Path

import pytest

from graphmer_geo.files import replacing, write_json, write_text


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "x.json"
    write_json(target, {"b": 1, "a": 2})
    assert target.read_text() == '{\n "b": 1,\n "a": 2\n}\n'
    write_text(target, "new")
    assert [p.name for p in target.parent.iterdir()] == ["x.json"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "x"
    write_text(target, "old")

    def half() -> None:
        with replacing(target) as part:
            part.write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
