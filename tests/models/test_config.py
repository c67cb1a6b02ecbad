from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from graphmer_geo.data.fake import fake_batch
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER, GraphMERConfig


def test_json_round_trip(tmp_path: Path) -> None:
    config = GraphMERConfig.small(
        relation_map={"none": 0, "calls": 1}, entity_kinds=("Class", "Method"), num_bases=None
    )
    config.save(tmp_path / "config.json")
    assert GraphMERConfig.load(tmp_path / "config.json") == config
    assert json.loads((tmp_path / "config.json").read_text())["relation_map"] == {"none": 0, "calls": 1}
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.hidden_size = 1


def test_sizes() -> None:
    base, small = GraphMERConfig.base(), GraphMERConfig.small()
    assert (base.hidden_size, base.num_layers, base.num_heads, base.ffn_size) == (768, 12, 12, 3072)
    assert (small.hidden_size, small.num_layers, small.num_heads, small.ffn_size) == (256, 4, 4, 1024)
    assert GraphMERConfig.small(num_layers=2).num_layers == 2


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(UserError, match="swiglu"):
        GraphMERConfig.from_dict({"swiglu": True})


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 10, "num_heads": 3},
        {"hidden_size": 6, "num_heads": 2},
        {"num_layers": 0},
        {"dropout": 1.0},
        {"decay": "alibi"},
        {"leaf_edges": "clique"},
        {"positions": "absolute"},
        {"relation_map": {"calls": 9}, "num_relations": 9},
        {"entity_kinds": ("a", "b"), "num_entity_kinds": 1},
    ],
)
def test_bad_values_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(UserError):
        GraphMERConfig(**changes)


def test_bad_files(tmp_path: Path) -> None:
    for text in ("{", "[]"):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(UserError, match=r"config\.json"):
            GraphMERConfig.load(tmp_path / "config.json")
    with pytest.raises(UserError, match="nowhere"):
        GraphMERConfig.load(tmp_path / "nowhere" / "config.json")


def test_every_setting_is_read() -> None:
    """A setting that nothing reads promises what is not there."""
    sizes = {"hidden_size": 8, "num_layers": 2, "num_heads": 2, "ffn_size": 8, "popularity_buckets": 8}
    config = GraphMERConfig(**sizes, vocab_size=200, num_relations=9, sbo=True, output_transform=True)
    read = set()

    class Recorder:
        def __getattr__(self, name: str) -> object:
            read.add(name)
            return getattr(config, name)

    GraphMER(Recorder())(fake_batch(4)).loss.backward()
    #: Compared with the data, or written beside the model, by those who load, train and evaluate.
    of_the_data = {"pad_id", "mask_id", "ontology_version", "tokenizer_hash", "relation_map", "entity_kinds"}
    assert {item.name for item in dataclasses.fields(config)} - of_the_data - read == set()
