"""A store that is filled while its content is still being made."""

from __future__ import annotations

import gc
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import pyoxigraph as ox

#: Bytes of text that are loaded at once, some 200,000 quads. Oxigraph sorts and writes what it is given when
#: all of it is there: larger batches would leave most of the work for the end, and sort no faster.
BATCH_BYTES = 64 << 20
AHEAD = 3  #: batches that may wait for the store; they lie in memory


class StoreLoader:
    """Bulk-loads N-Quads into a new store, in memory or in a folder, on a thread of its own.

    Oxigraph works without Python's lock: one batch is parsed, sorted and written beside extraction and
    linking while the next one is collected, and the text of the whole graph never lies in memory.

    Args:
        folder: Where the store is made; None: in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._store = ox.Store() if folder is None else ox.Store(folder)
        self._on_disk = folder is not None
        self._buffer: list[bytes] = []
        self._size = 0
        self._thread = ThreadPoolExecutor(1, "store-loader")
        self._loading: deque[Future[None]] = deque()

    def write(self, text: bytes) -> None:
        """Add some whole lines of N-Quads.

        Raises:
            SyntaxError: If an earlier batch was not N-Quads.
        """
        self._buffer.append(text)
        self._size += len(text)
        if self._size > BATCH_BYTES:
            self._submit()

    def finish(self) -> ox.Store:
        """The store, when everything is in it.

        Raises:
            SyntaxError: If some of it was not N-Quads.
        """
        self._submit()
        self._wait(0)
        if self._on_disk:
            self._store.flush()
        store = self._store
        del self._store
        return store

    def __enter__(self) -> StoreLoader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        self.__dict__.pop("_store", None)  # its lock goes with the last reference
        if error is not None:  # its traceback has frames that have the store
            gc.collect()

    def _submit(self) -> None:
        self._wait(AHEAD - 1)
        text = b"".join(self._buffer)
        self._buffer, self._size = [], 0
        # Our own IRIs are percent-encoded: checking each of them again would double the time.
        load = self._store.bulk_load
        self._loading.append(self._thread.submit(load, text, ox.RdfFormat.N_QUADS, lenient=True))

    def _wait(self, most: int) -> None:
        """Until no more than so many batches are to be loaded."""
        while len(self._loading) > most or (self._loading and self._loading[0].done()):
            self._loading.popleft().result()
