"""Where fetched code lies: one folder per user, shared by every dataset."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$GRAPHMER_CACHE``, else ``graphmer-geo`` in the user's cache folder."""
    if given := os.environ.get("GRAPHMER_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "graphmer-geo"
