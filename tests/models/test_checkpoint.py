from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from graphmer_geo.data.fake import FAKE, fake_batch
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER
from tests.models.test_graphmer import fit, tiny

RELATIONS = {"none": 0, "calls": 1, "calls^-1": 2}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model = tiny(relation_map=RELATIONS, ontology_version="1.2", tokenizer_hash="abc")
    fit(model, fake_batch(4)).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_same_output_after_loading(saved: Path) -> None:
    batch = fake_batch(4)
    before = fit(tiny(), fake_batch(4)).eval()(batch)
    model = GraphMER.from_pretrained(
        saved,
        relation_map=RELATIONS,
        vocab_size=FAKE.vocab_size,
        ontology_version="1.2",
        tokenizer_hash="abc",
    )
    assert not model.training
    assert torch.equal(model(batch).loss, before.loss)
    assert sorted(path.name for path in saved.iterdir()) == ["config.json", "model.safetensors"]


def test_no_tensor_is_saved_twice(saved: Path) -> None:
    state = load_file(saved / "model.safetensors")
    tables = [name for name, value in state.items() if value.shape == (FAKE.vocab_size, 32)]
    assert tables == ["embedding.token.weight"]


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"relation_map": {"none": 0, "calls": 2, "calls^-1": 1}}, "'calls': 1 in .* 2 in the data"),
        ({"relation_map": {"none": 0}}, "'calls': 1 in .* None in the data"),
        ({"vocab_size": 7}, f"vocab_size is {FAKE.vocab_size} in .* 7 in the data"),
        ({"ontology_version": "2.0"}, "'1.2' in .* '2.0' in the data"),
        ({"tokenizer_hash": "xyz"}, "'abc' in .* 'xyz' in the data"),
    ],
)
def test_other_data_is_refused(saved: Path, expected: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        GraphMER.from_pretrained(saved, **expected)


def test_missing_or_damaged_files(saved: Path) -> None:
    with pytest.raises(UserError, match=r"no config\.json"):
        GraphMER.from_pretrained(saved / "nowhere")
    weights = saved / "model.safetensors"
    content = weights.read_bytes()
    for damaged in (content[:1000], b"", b"\xff" * 100):
        weights.write_bytes(damaged)
        with pytest.raises(UserError, match="damaged"):
            GraphMER.from_pretrained(saved)
    weights.unlink()
    with pytest.raises(UserError, match=r"no model\.safetensors"):
        GraphMER.from_pretrained(saved)


def test_weights_that_do_not_fit_are_an_error_not_a_warning(saved: Path) -> None:
    config = json.loads((saved / "config.json").read_text())
    for change in ({"ffn_size": 32}, {"num_layers": 1}, {"num_layers": 3}, {"popularity": False}):
        (saved / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(UserError, match="do not belong together"):
            GraphMER.from_pretrained(saved)
    (saved / "config.json").write_text(json.dumps(config))
    state = load_file(saved / "model.safetensors")
    del state["lm_head.bias"]
    save_file(state, saved / "model.safetensors")
    with pytest.raises(UserError, match=r"nothing for lm_head\.bias"):
        GraphMER.from_pretrained(saved)
