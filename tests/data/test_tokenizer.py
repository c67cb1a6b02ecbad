from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standin import SHOP
from tokenizers import Tokenizer, models, pre_tokenizers

from graphmer_geo.data import CodeTokenizer, TokenTable
from graphmer_geo.data.tokenizer import SPECIALS, decode
from graphmer_geo.errors import UserError

SOURCES = [path.read_bytes() for path in sorted(SHOP.rglob("*.py"))]


def trained(vocab_size=500):
    return CodeTokenizer.train((decode(source) for source in SOURCES), vocab_size)


TOKENIZER = trained()


def spans_tile(encoding, start, end):
    """Every byte belongs to a token, and tokens overlap only inside one character."""
    covered = set()
    for a, b in zip(encoding.start.tolist(), encoding.end.tolist(), strict=True):
        assert a < b
        covered.update(range(a, b))
    assert covered == set(range(start, end))
    assert (np.diff(encoding.start) >= 0).all()
    assert (np.diff(encoding.end) >= 0).all()


@pytest.mark.parametrize("source", SOURCES)
def test_lossless_and_byte_exact_on_real_files(source):
    encoding = TOKENIZER.encode(source)
    assert TOKENIZER.decode(encoding.tok) == decode(source)
    spans_tile(encoding, 0, len(source))


@given(st.text(st.characters(codec="utf-8"), max_size=60))
@settings(max_examples=200, deadline=None)
def test_lossless_and_byte_exact_on_any_text(text):
    source = text.encode()
    encoding = TOKENIZER.encode(source)
    assert TOKENIZER.decode(encoding.tok) == text
    assert (encoding.start[1:] == encoding.end[:-1]).all()
    parts = [source[a:b] for a, b in zip(encoding.start, encoding.end, strict=True)]
    assert parts == [TOKENIZER.token_bytes[t] for t in encoding.tok.tolist()]


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_offsets_hold_for_any_bytes(source):
    spans_tile(TOKENIZER.encode(source), 0, len(source))


def test_offsets_of_a_piece_are_those_of_the_file():
    source = "größe = 'naïve'; anzahl = 3\n".encode()
    start = source.index(b"anzahl")
    piece = TOKENIZER.encode(source, start, start + 6)
    spans_tile(piece, start, start + 6)
    assert TOKENIZER.decode(piece.tok) == "anzahl"


def test_latin_1_name_is_found_by_its_bytes():
    source = "größe = 'Größe'".encode("latin-1")
    encoding = TOKENIZER.encode(source)
    inside = (encoding.end > 0) & (encoding.start < 5)
    assert encoding.end[inside].max() == 5
    assert TOKENIZER.decode(encoding.tok[inside]) == "größe"


def test_special_tokens_come_from_the_tokenizer_by_name():
    ids = [TOKENIZER.special[name] for name in SPECIALS]
    assert len(set(ids)) == len(SPECIALS)
    assert TOKENIZER.mask_id == TOKENIZER.tokenizer.token_to_id("<mask>")
    assert TOKENIZER.table.special.nonzero()[0].tolist() == sorted(ids)


def byte_level(specials):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: index for index, token in enumerate([*specials, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.add_special_tokens(list(specials))
    return tokenizer


def test_padding_need_not_be_zero():
    tokenizer = CodeTokenizer(byte_level(("<mask>", "<sep>", "<cls>", "<pad>", "<unk>")))
    assert (tokenizer.mask_id, tokenizer.pad_id, tokenizer.cls_id) == (0, 3, 2)
    assert 0 not in tokenizer.table.ordinary
    assert TokenTable.from_bytes(tokenizer.token_bytes, [0, 1, 2, 3, 4], 0).mask_id == 0


def test_special_text_in_source_is_text():
    source = b"x = '<mask>'  # <cls> <pad>"
    encoding = TOKENIZER.encode(source)
    assert not TOKENIZER.table.special[encoding.tok].any()
    assert TOKENIZER.decode(encoding.tok).encode() == source


def test_special_text_in_source_is_text_after_loading(tmp_path):
    TOKENIZER.save(tmp_path / "tokenizer.json")
    loaded = CodeTokenizer.load(tmp_path / "tokenizer.json")
    source = b"if '<mask>' in text:"
    assert loaded.encode(source).tok.tolist() == TOKENIZER.encode(source).tok.tolist()
    assert not loaded.table.special[loaded.encode(source).tok].any()


def test_a_name_has_the_same_tokens_wherever_it_stands():
    label = TOKENIZER.encode_label("NotFound")
    for source in (
        b"raise NotFound(name)",
        b"(NotFound, x)",
        b"a.NotFound",
        b"class NotFound:",
        b"x=NotFound\n",
    ):
        encoding = TOKENIZER.encode(source)
        at = source.index(b"NotFound")
        inside = (encoding.end > at) & (encoding.start < at + 8)
        assert encoding.tok[inside].tolist() == label, source


def test_training_is_deterministic():
    assert trained().tokenizer.to_str() == TOKENIZER.tokenizer.to_str()


def test_errors_name_the_remedy(tmp_path):
    with pytest.raises(UserError, match=r"no tokenizer at .*graphmer data prepare"):
        CodeTokenizer.load(tmp_path / "none.json")
    with pytest.raises(UserError, match="vocab_size is 100; byte-level BPE needs at least 261"):
        trained(100)
    with pytest.raises(UserError, match="lacks <cls>, <mask>, <pad>, <sep>, <unk>"):
        CodeTokenizer(Tokenizer(models.BPE()))
    wordpiece = Tokenizer(models.WordPiece({name: n for n, name in enumerate([*SPECIALS, "日"])}))
    with pytest.raises(UserError, match="not byte-level"):
        _ = CodeTokenizer(wordpiece).table


def table(*tokens):
    return TokenTable.from_bytes([t.encode() for t in tokens], [0], 0)


def test_words_start_at_a_space_marker_and_after_punctuation():
    """``Ġ`` starts a word; reading it as a continuation, as the authors' code does, inverts every word."""
    vocab = table("", " foo", "bar", "(", "_x", "\n  ", "9", " =", "é")
    ids = np.array([1, 2, 3, 2, 4, 6, 5, 2, 1, 7, 8, 0, 2])
    #  " foo" "bar" | "(" | "bar" "_x" "9" | "\n  " | "bar" | " foo" | " =" | "é" | <special> | "bar"
    assert vocab.word_ids(ids).tolist() == [0, 0, -1, 1, 1, 1, -1, 2, 3, -1, 4, -1, 5]


def test_words_of_real_code_are_its_identifiers():
    source = b"    def takeAll(self, shelf_name: str) -> list[Item]:\n        return 42"
    encoding = TOKENIZER.encode(source)
    words = TOKENIZER.table.word_ids(encoding.tok)
    texts = [TOKENIZER.decode(encoding.tok[words == w]).strip() for w in range(words.max() + 1)]
    assert texts == ["def", "takeAll", "self", "shelf_name", "str", "list", "Item", "return", "42"]
