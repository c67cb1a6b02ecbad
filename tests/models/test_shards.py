"""Models in several files, in bfloat16, with what belongs to them, and on the Hub."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from graphmer_geo.cli import main
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER, GraphMERConfig

TINY = GraphMERConfig.small(
    hidden_size=16, num_layers=2, num_heads=2, ffn_size=32, vocab_size=300, popularity_buckets=64
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    GraphMER(TINY).save_pretrained(folder)
    for name in ("tokenizer.json", "relations.json", "README.md"):
        (folder / name).write_text(f"this is {name}")
    return folder


def test_shards_are_of_the_size_asked_for_and_read_back(saved: Path, tmp_path: Path) -> None:
    model, limit = GraphMER.from_pretrained(saved), 70_000
    assert max(value.nbytes for value in model.state_dict().values()) < limit
    out = tmp_path / "out"
    model.save_pretrained(out, max_shard_size=limit)
    shards = sorted(out.glob("model-*.safetensors"))
    assert len(shards) >= 2
    assert all(shard.stat().st_size < limit + 5_000 for shard in shards)  # a header of names
    index = json.loads((out / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"]) == set(model.state_dict())
    again = GraphMER.from_pretrained(out).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in model.state_dict().items())
    model.save_pretrained(out)  # whole again: no shard of before is left
    assert [p.name for p in sorted(out.glob("*.safetensors*"))] == ["model.safetensors"]


def test_a_missing_or_foreign_shard_is_refused(saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    GraphMER.from_pretrained(saved).save_pretrained(out, max_shard_size=70_000)
    first = sorted(out.glob("model-*.safetensors"))[0]
    content = first.read_bytes()
    first.write_bytes(content[:-10])
    with pytest.raises(UserError, match="is damaged"):
        GraphMER.from_pretrained(out)
    first.unlink()
    with pytest.raises(UserError, match=f"no {first.name} in"):
        GraphMER.from_pretrained(out)


def test_the_command_halves_the_weights(saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    assert main(["models", "export", str(saved), "--out", str(out), "--dtype", "bf16"]) == 0
    small, whole = (GraphMER.from_pretrained(folder) for folder in (out, saved))
    for (name, value), (_, exact) in zip(small.named_parameters(), whole.named_parameters(), strict=True):
        assert value.dtype == torch.float32
        assert torch.equal(value, exact.to(torch.bfloat16).float()), name
    for (name, value), (_, exact) in zip(small.named_buffers(), whole.named_buffers(), strict=True):
        assert torch.equal(value, exact), name
    names = {path.name for path in out.iterdir()}
    assert names == {"model.safetensors", "config.json", "tokenizer.json", "relations.json", "README.md"}


def test_push_to_hub_sends_the_whole_model(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mixin = pytest.importorskip("huggingface_hub.hub_mixin")
    sent: dict[str, bytes] = {}

    class Api:
        def __init__(self, token: str | None = None) -> None:
            pass

        def create_repo(self, repo_id: str, **options: Any) -> SimpleNamespace:
            return SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, folder_path: Path, **options: Any) -> str:
            sent.update({path.name: path.read_bytes() for path in Path(folder_path).iterdir()})
            return "https://hub/commit"

    monkeypatch.setattr(mixin, "HfApi", Api)
    assert GraphMER.from_pretrained(saved).push_to_hub("me/encoder") == "https://hub/commit"
    assert sent == {path.name: path.read_bytes() for path in saved.iterdir()}


def test_a_name_on_the_hub_is_fetched_and_a_missing_folder_is_not(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked: list[str] = []

    def download(name: str, allow_patterns: list[str]) -> str:
        asked.append(name)
        if name == "me/none":
            raise hub.errors.LocalEntryNotFoundError("offline")
        return str(saved)

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert GraphMER.from_pretrained("me/encoder").config == GraphMER.from_pretrained(saved).config
    with pytest.raises(UserError, match="me/none is no folder, and not to be had from the Hub: offline"):
        GraphMER.from_pretrained("me/none")
    for local in ("runs/../none", "./none/x", "/none/x", Path("me/encoder")):
        with pytest.raises(UserError, match=r"no config\.json"):
            GraphMER.from_pretrained(local)
    assert asked == ["me/encoder", "me/none"]
