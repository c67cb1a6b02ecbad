"""Python's cycle collector, out of the way of code that makes millions of records and few cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 500_000  #: live records that a pass of the collector needs a noticeable time for

_left = False  # whether records were passed over, which may hang together in cycles


@contextmanager
def paused() -> Iterator[None]:
    """No passes of the cycle collector inside: each would scan every record made so far.

    It is as it was afterwards, also after an error. Where many records are alive by then, its next small
    passes leave them out: they count as old. What of them is in cycles is freed by a full pass, which Python
    makes in its own time, and which is made here before more of them are added.
    """
    global _left
    was_enabled = gc.isenabled()
    if was_enabled and _left:
        gc.collect()
        _left = False
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if gc.get_count()[0] > MANY and not gc.get_freeze_count():
                gc.freeze()  # moves all records to where no pass looks, without looking at them,
                gc.unfreeze()  # and from there to the old ones
                _left = True
            gc.enable()
