"""The cloze test at the smallest size: balanced cases, and nothing in sight that names a candidate."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import cloze
from benchmarks.masked.cases import Functions, batches
from benchmarks.masked.scores import count_ngrams
from graphmer_geo.data import DataConfig, DataFolder, prepare
from graphmer_geo.data.leafy_chain import chain_to_triples
from graphmer_geo.errors import UserError
from graphmer_geo.results import read_result
from tests.data.standin import StandInKG

WORDS = ["--steps", "3", "--size", "tiny", "--threads", "1", "--names", "2", "--cases", "3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Eight packages of functions that call ``max``, ``min`` and a function of their own."""
    root = tmp_path_factory.mktemp("source")
    for package in "abcdefgh":
        (root / package).mkdir()
        functions = [
            f'def {name}_{package}{i}(max_of, size):\n    """Takes the {name}."""\n'
            f"    bound = {name}(max_of, {i}) + helper(size)\n    return len(bound)\n"
            for i in range(6)
            for name in ("max", "min")
        ]
        body = "def helper(size):\n    return size\n\n\n" + "\n\n".join(functions)
        (root / package / "__init__.py").write_text(body)
    path = tmp_path_factory.mktemp("prepared") / "data"
    prepare(StandInKG(root), path, DataConfig(vocab_size=500, max_roots=64, min_roots=5, near_duplicates=0))
    return DataFolder.open(path)


@pytest.fixture(scope="module")
def functions(folder: DataFolder) -> Functions:
    return Functions(folder, ["validation", "test"])


def test_every_predictor_answers_balanced_cases(folder: DataFolder, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    cloze.main(["--data", str(folder.path), "--seeds", "0", "1", "--out", str(out), *WORDS])
    found = read_result(out)["metrics"]
    assert list(found["names"]["max/min"]) == ["max", "min"]
    assert set(found["names"]["API names"]) <= {"max", "min", "helper", "len"}
    for cells in found["tasks"].values():
        assert set(cells) == {"majority", "n-gram", "encoder", "no leaves", "text only"}
        assert cells["majority"]["accuracy"]["values"] == [0.5, 0.5]
        assert min(cells["encoder"]["count"]["values"]) >= 6
    assert found["encoder_minus"]["max/min"]["majority"]["mean"] == pytest.approx(
        found["tasks"]["max/min"]["encoder"]["accuracy"]["mean"] - 0.5
    )


def test_cases_are_calls_of_unseen_functions(folder: DataFolder, functions: Functions) -> None:
    asked = functions.cloze(["max", "min"], None, 0)
    assert np.bincount(asked.answers).tolist() == [len(asked.cases) // 2] * 2
    for case in asked.cases:
        table = folder.chunks(case.split)
        assert table["kind"][case.chunk].as_py() == "callable"
        tok = table["tok"][case.chunk].as_py()
        assert folder.tokenizer.decode([tok[case.position]]) == asked.names[case.answer]
        assert folder.tokenizer.decode(tok[case.position + 1 : case.position + 2]).startswith("(")
    assert asked == functions.cloze(["max", "min"], None, 0)
    assert len(functions.cloze(["max", "min"], 4, 0).cases) == 4


def test_no_leaf_tells_a_candidate(folder: DataFolder, functions: Functions) -> None:
    """Neither the answer nor what is missing among the leaves gives it away."""
    asked, more = functions.cloze(["max", "helper"], None, 0), 0
    mask = folder.tokenizer.mask_id
    for batch, rows in batches(folder, asked, leaves=True, seed=0):
        assert batch["tok"][batch["mlm_index"]].tolist() == [mask] * len(rows)
        assert batch["mlm_label"].tolist() == [asked.tokens[asked.answers[row]] for row in rows]
        leaves = [folder.tokenizer.decode(tail) for _, _, tail in chain_to_triples(batch)]
        assert not [leaf for leaf in leaves if {"max", "helper"} & set(re.findall(r"\w+", leaf.lower()))]
        heads = set(batch["edge_index"][0].tolist())
        assert not heads & set(batch["mlm_index"].tolist())
        more += len(leaves)
    assert more > 0
    for batch, _ in batches(folder, asked, leaves=False, seed=0):
        assert not batch["triple_rel"].numel()


def test_counts_know_what_stands_beside(folder: DataFolder, functions: Functions) -> None:
    """``bound = max(max_of`` and ``+ helper(size``: neighbours decide, however often each name occurs."""
    asked = functions.cloze(["max", "helper"], None, 0)
    guess = cloze.by_counts(folder, asked, count_ngrams(folder), 0)
    assert (guess == asked.answers).all()


def test_a_model_is_asked_at_the_mask(folder: DataFolder, functions: Functions) -> None:
    class Oracle(torch.nn.Module):
        """Knows that what is followed by ``(size`` is ``helper``."""

        def __init__(self) -> None:
            super().__init__()
            self.anchor = torch.nn.Parameter(torch.zeros(1))

        def encode(self, batch: dict) -> torch.Tensor:
            after = folder.tokenizer.encode_label("size")[0]
            return torch.stack([(batch["tok"].roll(-2) == after).float(), torch.ones(len(batch["tok"]))], 1)

        def token_logits(self, states: torch.Tensor) -> torch.Tensor:
            logits = torch.zeros(len(states), len(folder.tokenizer))
            logits[:, folder.tokenizer.encode_label("helper")[0]] = states[:, 0] - 0.5
            return logits

    asked = functions.cloze(["max", "helper"], None, 0)
    guess = cloze.by_model(folder, asked, Oracle(), True, 0)
    assert (guess == asked.answers).all()


def test_bad_input(folder: DataFolder, functions: Functions, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'max_of' is 3 tokens"):
        functions.cloze(["max", "max_of"], None, 0)
    with pytest.raises(UserError, match="calls 'size'; take more code"):
        functions.cloze(["max", "size"], None, 0)
    out = tmp_path / "r.json"
    out.write_text("kept")
    with pytest.raises(SystemExit, match="called 3 times in validation, test and in training, not 9"):
        cloze.main(["--data", str(folder.path), "--out", str(out), *WORDS, "--names", "9"])
    assert out.read_text() == "kept"
