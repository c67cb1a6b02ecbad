from __future__ import annotations

import math

import pytest
import torch

from graphmer_geo.nn import Names, TokenSalience
from graphmer_geo.nn.names import segment_ids

#: "Foo.bar", "foo", "" and "bar.baz"
TOKENS = [b"<pad>", b"Foo", b" foo", b"foo", b".", b"bar", b"baz", b" "]
NAMES = Names(torch.tensor([1, 4, 5, 3, 5, 4, 6]), torch.tensor([0, 3, 4, 4, 7]), torch.tensor([0, 1, 0, 1]))


def test_spellings_and_separators() -> None:
    salience = TokenSalience(8)
    assert torch.equal(salience.spelling, torch.arange(8))
    salience.set_vocabulary(TOKENS)
    assert salience.spelling.tolist() == [0, 1, 1, 1, 4, 5, 6, 7]
    assert salience.separator.nonzero().flatten().tolist() == [4]
    with pytest.raises(ValueError, match="3 tokens for a vocabulary of 8"):
        salience.set_vocabulary(TOKENS[:3])


def test_shares_sum_to_one_per_name() -> None:
    salience = TokenSalience(8)
    torch.nn.init.normal_(salience.log_salience)
    weighted = salience(NAMES)
    sums = torch.zeros(4).index_add(0, segment_ids(NAMES.ptr), weighted.share)
    torch.testing.assert_close(sums, torch.tensor([1.0, 1.0, 0.0, 1.0]))
    assert weighted.total[2] == 0
    torch.testing.assert_close(weighted.total[1], salience.of(torch.tensor(3)))


def test_document_frequency() -> None:
    salience = TokenSalience(8)
    salience.set_vocabulary(TOKENS)
    salience.set_document_frequency(NAMES)
    s = salience.of(torch.arange(8))
    assert s[6] > s[4]  # `baz` is in one name, the dot in two
    torch.testing.assert_close(s[4] / s[6], torch.tensor(math.log(1 + 4 / 3) / math.log(1 + 4 / 2)))
    assert s[1] == s[4] == s[5]  # two names each, whichever way it is spelt


def test_part() -> None:
    part = NAMES.part(1, 4)
    assert part.tok.tolist() == [3, 5, 4, 6]
    assert part.ptr.tolist() == [0, 1, 1, 4]
    assert part.kind.tolist() == [1, 0, 1]
