"""``python -m graphmer_geo`` is the command ``graphmer``."""

from __future__ import annotations

import sys

from graphmer_geo.cli import main

if __name__ == "__main__":
    sys.exit(main())
