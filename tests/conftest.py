"""What every test shares: no network, one thread per worker, and optional packages that can be hidden."""

from __future__ import annotations

import os
import socket
import sys

import pytest

# `GRAPHMER_TEST_WITHOUT=torch_scatter pytest …` runs the tests as if these packages were not installed. It
# has to happen before anything imports PyG, which looks for its optional parts once.
for hidden in filter(None, os.environ.get("GRAPHMER_TEST_WITHOUT", "").split(",")):
    sys.modules[hidden] = None  # type: ignore[assignment]

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")


class NetworkUsed(AssertionError):
    """A test tried to reach another machine."""


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail at once, and say where to, when a test opens a connection to another machine."""
    if "network" in request.keywords:
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0] if isinstance(address, tuple) else address
            if host not in ("127.0.0.1", "::1", "localhost"):
                raise NetworkUsed(f"a test connected to {host}: mark it `network` or give it local data")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests that need more than a checkout unless they are asked for with ``-m MARKER``."""
    for marker, need in {"network": "the network", "compiler": "a C++ compiler and minutes"}.items():
        if marker in config.getoption("-m", default=""):
            continue
        for item in items:
            if marker in item.keywords:
                item.add_marker(pytest.mark.skip(reason=f"needs {need}: run with -m {marker}"))
