from __future__ import annotations

import pytest

from graphmer_geo.data import TokenTable
from graphmer_geo.data.fake import FAKE, fake_vocab


@pytest.fixture(scope="session")
def vocab() -> TokenTable:
    return fake_vocab(FAKE)
