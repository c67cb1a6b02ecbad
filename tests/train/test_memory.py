from __future__ import annotations

import platform
from pathlib import Path

import pytest

from graphmer_geo.train.memory import return_free_memory


def resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))  # KiB


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps blocks between those in use")
def test_blocks_between_used_ones_are_handed_back() -> None:
    blocks = [bytearray(100_000) for _ in range(2000)]  # each below the threshold for a mapping of its own
    pins = blocks[::20]
    before = resident()
    del blocks
    assert return_free_memory()
    assert resident() < before - 100_000
    assert len(pins) == 100
