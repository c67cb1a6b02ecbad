"""Python's cycle collector, out of the way of code that makes millions of records and few cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No passes of the cycle collector inside: each would scan every record made so far.

    It is as it was afterwards, also after an error. What is in cycles is freed then.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
