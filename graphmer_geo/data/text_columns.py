"""Columns of text as numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def coded(column: pa.ChunkedArray, numbers: Mapping[str, int], otherwise: int = -1) -> NDArray[np.int64]:
    """The number of each text, ``otherwise`` for unknown ones and nulls; a text is looked up once."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    known = [numbers.get(text, otherwise) for text in encoded.dictionary.to_pylist()]
    index = encoded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
    return np.array([*known, otherwise], np.int64)[index]
