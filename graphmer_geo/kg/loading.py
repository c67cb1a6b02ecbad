"""A store that is filled while its content is still being made."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path
from types import TracebackType

import pyoxigraph as ox

_DESCRIPTORS = Path("/dev/fd")  #: where a process finds its own pipes as files, if the platform has that
_ENOUGH = 1 << 20


class StoreLoader:
    """Bulk-loads N-Quads into a new store, in memory or in a folder, on a thread of its own.

    The text goes through a pipe, which Oxigraph reads without Python's lock: parsing and sorting run beside
    extraction and linking, and the text of the whole graph never lies in memory.

    Args:
        folder: Where the store is made; None: in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._store = ox.Store() if folder is None else ox.Store(folder)
        self._on_disk = folder is not None
        self._buffer: list[bytes] = []
        self._size = 0
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._pipe = -1
        if _DESCRIPTORS.is_dir():
            source, self._pipe = os.pipe()
            self._thread = threading.Thread(target=self._load, args=(source,), name="store-loader")
            self._thread.start()

    def write(self, text: bytes) -> None:
        """Add some lines of N-Quads."""
        self._buffer.append(text)
        self._size += len(text)
        if self._size > _ENOUGH and self._thread is not None:
            self._flush()

    def finish(self) -> ox.Store:
        """The store, when everything is in it.

        Raises:
            SyntaxError: If some of it was not N-Quads.
        """
        if self._thread is None:
            self._store.bulk_load(b"".join(self._buffer), ox.RdfFormat.N_QUADS, lenient=True)
        else:
            self._flush()
            self._close()
        if self._failure is not None:
            raise self._failure
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
        self._close()
        self.__dict__.pop("_store", None)  # its lock goes with the last reference
        if error is not None:  # its traceback has frames that have the store
            gc.collect()

    def _load(self, source: int) -> None:
        try:
            # Our own IRIs are percent-encoded: checking each of them again would double the time.
            self._store.bulk_load(
                path=str(_DESCRIPTORS / str(source)), format=ox.RdfFormat.N_QUADS, lenient=True
            )
        except (SyntaxError, OSError, ValueError) as error:
            self._failure = error
        finally:
            os.close(source)

    def _flush(self) -> None:
        rest = memoryview(b"".join(self._buffer))
        self._buffer, self._size = [], 0
        try:
            while rest:
                rest = rest[os.write(self._pipe, rest) :]
        except BrokenPipeError:
            self._close()
            raise (self._failure or BrokenPipeError("the store's loader has ended")) from None

    def _close(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        if self._thread is not None:
            self._thread.join()
