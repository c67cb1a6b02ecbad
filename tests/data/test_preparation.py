from __future__ import annotations

import json
from dataclasses import replace

import pytest
from conftest import CONFIG
from standin import StandInKG

from graphmer_geo.data import CodeTokenizer, DataConfig, DataFolder, prepare
from graphmer_geo.data.config import ChainConfig
from graphmer_geo.data.folder import relation_ids
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.data.tokenizer import decode
from graphmer_geo.errors import UserError


def rows(data, split):
    return data.chunks(split).to_pylist()


def all_rows(data):
    return [row for split in SPLITS for row in rows(data, split)]


def test_no_unit_is_in_two_splits(data):
    units = [{row["unit"] for row in rows(data, split)} for split in SPLITS]
    assert all(units)
    assert not units[0] & units[1] | units[0] & units[2] | units[1] & units[2]
    for split, found in zip(SPLITS, units, strict=True):
        assert {data.manifest.units[unit] for unit in found} == {split}
    for table in (data.entities, data.triples):
        for row in table.to_pylist():
            assert row["split"] == data.manifest.units.get(row["unit"], "external")


def test_tokens_are_the_source_byte_for_byte(kg, data):
    tokenizer = data.tokenizer
    for row in all_rows(data):
        source = kg.read_source(row["file"])
        assert row["tok"][0] == tokenizer.cls_id
        assert row["tok"][-1] == tokenizer.sep_id
        assert len(row["tok"]) <= CONFIG.max_roots
        assert tokenizer.decode(row["tok"]) == decode(source[row["start"] : row["end"]])
        inner = list(zip(row["tok"], row["tok_start"], row["tok_end"], strict=True))[1:-1]
        assert inner[0][1] == row["start"]
        assert inner[-1][2] == row["end"]


def test_no_token_is_in_two_chunks(data):
    taken = set()
    for row in all_rows(data):
        spans = {
            (row["file"], a, b) for a, b in zip(row["tok_start"][1:-1], row["tok_end"][1:-1], strict=True)
        }
        assert not taken & spans
        taken |= spans


def test_mentions_are_exactly_the_tokens_of_the_occurrence(kg, data):
    iris = data.entities["iri"].to_pylist()
    linked = set()
    for row in all_rows(data):
        source = kg.read_source(row["file"])
        for first, length, entity, role in zip(
            row["mention_start"], row["mention_len"], row["mention_entity"], row["mention_role"], strict=True
        ):
            if role == "chunk":
                assert (first, length, entity) == (0, 1, row["entity"])
                continue
            start, end = row["tok_start"][first], row["tok_end"][first + length - 1]
            linked.add((row["file"], start, end, iris[entity]))
            assert source[start:end].strip()
    wanted = {
        (o["file"], o["start"], o["end"], o["entity"]) for o in kg.occurrences.to_pylist() if o["entity"]
    }
    files = {row["file"] for row in all_rows(data)}
    missing = {o for o in wanted - linked if o[0] in files}
    # What is left was cut off in pieces shorter than min_roots, or shares a token with the space that follows
    # it.
    assert all(
        any(m[0] == x[0] and x[1] <= m[1] and m[2] <= x[2] and m[3] == x[3] for x in linked)
        or not any(r["file"] == m[0] and r["start"] <= m[1] and m[2] <= r["end"] for r in all_rows(data))
        for m in missing
    )
    assert len(linked) > 150


def test_the_latin_1_file_is_linked_by_its_own_bytes(kg, data):
    key = "python/shop/1/report/greeting.py"
    [entity] = [e for e in data.entities.to_pylist() if e["label"] == "grüße"]
    spans = {
        (row["tok_start"][first], row["tok_end"][first + length - 1])
        for row in all_rows(data)
        if row["file"] == key
        for first, length, e in zip(
            row["mention_start"], row["mention_len"], row["mention_entity"], strict=True
        )
        if e == entity["id"] and first  # 0: on <cls>, where the name is in another window
    }
    assert {kg.read_source(key)[a:b] for a, b in spans} == {"grüße".encode("latin-1")}
    assert len(spans) == 2  # declared and called


def test_names_that_can_be_read(kg, data):
    keys = dict(zip(data.entities["label"].to_pylist(), data.entities["name_key"].to_pylist(), strict=True))
    [row] = [r for r in all_rows(data) if r["kind"] == "callable" and "verabschiede" in decode(
        kg.read_source(r["file"])[r["start"] : r["end"]])]  # fmt: skip
    count = dict(zip(row["name"], row["name_count"], strict=True))
    assert count[keys["grüße"]] == 1
    assert count[keys["str"]] == 2
    assert keys["NotFound"] not in count


def test_labels(data):
    labels = set(data.entities["label"].to_pylist())
    assert {
        "Stock",
        "Stock.take",
        "Money.__init__",
        "Item.price",
        "refill",
        "store.stock",
        "count",
        "len",
    } <= labels
    for row in data.entities.to_pylist():
        assert data.tokenizer.decode(row["label_tok"]) == row["label"]


def test_the_tokenizer_saw_training_chunks_only(kg, data):
    texts = (
        decode(kg.read_source(row["file"])[row["start"] : row["end"]])
        for row in sorted(rows(data, "train"), key=lambda r: (r["file"], r["start"]))
    )
    # Windows of one chunk are joined again, as training saw it before there was a tokenizer to cut windows
    # with.
    again = CodeTokenizer.train(list(texts), CONFIG.vocab_size)
    words = {bytes(b) for b in data.tokenizer.token_bytes if len(b) > 3}
    assert b"Invoice" not in words or data.manifest.units["shop/billing"] == "train"
    assert len(again) == len(data.tokenizer)


def test_triples_have_one_row_per_fact(kg, data):
    iris = data.entities["iri"].to_pylist()
    names = {index: name for name, index in data.relations.items()}
    found = [(iris[t["head"]], names[t["relation"]], iris[t["tail"]]) for t in data.triples.to_pylist()]
    wanted = {(t["subject"], t["relation"], t["object"]) for t in kg.triples().to_pylist()}
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_every_relation_has_an_inverse(data):
    ids = data.relations
    assert ids["none"] == 0
    assert sorted(ids.values()) == list(range(len(ids)))
    for name in ids:
        assert name == "none" or name.endswith("^-1") or f"{name}^-1" in ids
    assert relation_ids(["b", "a"]) == {"none": 0, "a": 1, "a^-1": 2, "b": 3, "b^-1": 4}


def test_duplicates_are_dropped_from_later_splits(tmp_path):
    """The same text, white space aside, must not be trained and tested on."""
    root = tmp_path / "src"
    body = "def same(a, b):\n    result = a + b\n    return result\n"
    for unit, text in {
        "one": body,
        "two": body.replace("    ", "  "),
        "three": body + "\n\ndef other(x):\n    return x + 1\n",
    }.items():
        (root / unit).mkdir(parents=True)
        (root / unit / "m.py").write_text(text)
    units = {"test_units": ("shop/two",), "validation_units": ("shop/three",)}
    config = replace(CONFIG, near_duplicates=0, **units)
    manifest = prepare(StandInKG(root), tmp_path / "data", config)
    assert manifest.counts["train"]["chunks"] == 1
    assert manifest.counts["test"]["chunks"] == 0
    assert manifest.counts["test"]["duplicates_dropped"] == 1
    assert manifest.counts["validation"]["duplicates_dropped"] == 1
    assert manifest.counts["validation"]["chunks"] == 1


def test_unchanged_input_returns_at_once(kg, tmp_path, monkeypatch):
    out = tmp_path / "d"
    first = prepare(kg, out, CONFIG)
    stamp = (out / "manifest.json").stat().st_mtime_ns
    monkeypatch.setattr(StandInKG, "read_source", None)  # nothing is read again
    assert prepare(kg, out, CONFIG) == first
    assert (out / "manifest.json").stat().st_mtime_ns == stamp


def test_another_configuration_replaces_the_data(kg, tmp_path):
    out = tmp_path / "d"
    prepare(kg, out, CONFIG)
    prepare(kg, out, replace(CONFIG, max_roots=40))
    assert DataFolder.open(out).manifest.config.max_roots == 40
    assert max(len(row["tok"]) for row in all_rows(DataFolder.open(out))) <= 40
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d"]  # nothing temporary is left


def test_a_failed_run_leaves_the_old_data(kg, tmp_path, monkeypatch):
    out = tmp_path / "d"
    prepare(kg, out, CONFIG)
    monkeypatch.setattr(StandInKG, "read_source", lambda self, key: (_ for _ in ()).throw(UserError("moved")))
    with pytest.raises(UserError, match="moved"):
        prepare(kg, out, replace(CONFIG, seed=5))
    assert DataFolder.open(out).manifest.config == CONFIG
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d"]


def test_deterministic(kg, tmp_path):
    for name in ("a", "b"):
        prepare(kg, tmp_path / name, CONFIG)
    for path in sorted((tmp_path / "a").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path


def test_user_errors(kg, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match=r"precious.* exists and is not prepared data; choose another --out"):
        prepare(kg, tmp_path / "precious", CONFIG)
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "only.py").write_text("X = 1\n")
    with pytest.raises(UserError, match=r"1 top-level packages .* add sources"):
        prepare(StandInKG(tmp_path / "small"), tmp_path / "x", CONFIG)
    with pytest.raises(UserError, match=r"holds no prepared data .*graphmer data prepare"):
        DataFolder.open(tmp_path / "nothing")
    with pytest.raises(UserError, match="no unit named nowhere"):
        prepare(kg, tmp_path / "x", replace(CONFIG, test_units=("nowhere",)))


def test_missing_files_are_named(kg, tmp_path):
    prepare(kg, tmp_path / "d", CONFIG)
    for name, use in (
        ("tokenizer.json", lambda d: d.tokenizer),
        ("relations.json", lambda d: d.relations),
        ("entities.parquet", lambda d: d.entities),
        ("chunks/test/00000.parquet", lambda d: d.chunks("test")),
    ):
        (tmp_path / "d" / name).unlink()
        with pytest.raises(UserError, match=name):
            use(DataFolder.open(tmp_path / "d"))
    with pytest.raises(UserError, match="no split 'dev'; use one of train, validation, test"):
        DataFolder.open(tmp_path / "d").chunks("dev")
    (tmp_path / "d" / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(UserError, match="format 99"):
        DataFolder.open(tmp_path / "d")
    prepare(kg, tmp_path / "d", CONFIG)  # the remedy that the error names
    assert len(DataFolder.open(tmp_path / "d").chunks("test"))
    for broken in ("{", "[]"):
        (tmp_path / "d" / "manifest.json").write_text(broken)
        with pytest.raises(UserError, match="not a manifest of prepared data"):
            DataFolder.open(tmp_path / "d")


@pytest.mark.parametrize("config", [DataConfig(seed=3, test_units=("a",)), ChainConfig(max_triples=5)])
def test_configs_round_trip_and_reject_unknown_keys(config):
    values = json.loads(json.dumps(config.to_dict()))
    assert type(config).from_dict(values) == config
    with pytest.raises(UserError, match="unknown settings swiglu"):
        type(config).from_dict({**values, "swiglu": True})


def test_config_ranges():
    with pytest.raises(UserError, match="fractions"):
        DataConfig(fractions=(0.9, 0.2, 0.1))
    with pytest.raises(UserError, match="min_roots is 300"):
        DataConfig(min_roots=300)
    with pytest.raises(UserError, match="shard_bytes is 0"):
        DataConfig(shard_bytes=0)
    with pytest.raises(UserError, match="max_triples is 0"):
        ChainConfig(max_triples=0)
