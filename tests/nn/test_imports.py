from __future__ import annotations

import json
import subprocess
import sys

import pytest

FOREIGN = {
    "rdflib",
    "pyoxigraph",
    "oxrdflib",
    "pyshacl",
    "tree_sitter",
    "transformers",
    "tokenizers",
    "pyarrow",
}


def loaded_after(code: str) -> set[str]:
    report = "import json, sys; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("package", ["nn", "models"])
def test_only_torch_and_pyg(package: str) -> None:
    # PyG 2.8 itself imports transformers and pandas where they are installed; here it must do without, and
    # the import succeeds only if nothing of ours asks for what is hidden.
    hide = f"import sys; sys.modules.update(dict.fromkeys({sorted(FOREIGN | {'pandas'})}))"
    loaded = loaded_after(
        f"{hide}; import graphmer_geo.{package}; [sys.modules.pop(m) for m in {sorted(FOREIGN)}]"
    )
    assert not loaded & FOREIGN
