from __future__ import annotations

import pytest

from graphmer_geo.data.entities import label_of, simple_name_of


@pytest.mark.parametrize(
    ("kind", "name", "qualified", "language", "owner", "label", "simple"),
    [
        ("Class", "Shelf", "store.shelf.Shelf", "python", None, "Shelf", "Shelf"),
        ("Class", "Inner", "m.Outer.Inner", "python", "Outer", "Inner", "Inner"),
        ("Function", "refill", "store.refill", "python", None, "refill", "refill"),
        ("Method", "put", "store.Shelf.put", "python", "Shelf", "Shelf.put", "put"),
        ("Field", "items", "store.Shelf.items", "python", "Shelf", "Shelf.items", "items"),
        ("EnumConstant", "RED", "p.Color.RED", "java", "Color", "Color.RED", "RED"),
        ("Constructor", "__init__", "s.Shelf.__init__", "python", "Shelf", "Shelf.__init__", "Shelf"),
        ("Constructor", "<init>", "p.Shelf.<init>", "java", "Shelf", "Shelf", "Shelf"),
        ("Initializer", "<clinit>", "p.Shelf.<clinit>", "java", "Shelf", "Shelf", "Shelf"),
        ("Parameter", "count", "s.f", "python", None, "count", "count"),
        ("Module", "shelf", "store.shelf", "python", None, "store.shelf", "shelf"),
        ("ExternalSymbol", "join", "os.path.join", "python", None, "path.join", "join"),
        ("ExternalSymbol", "len", "builtins.len", "python", None, "len", "len"),
        ("ExternalSymbol", "join", "builtins.str.join", "python", None, "str.join", "join"),
        ("ExternalSymbol", "String", "java.lang.String", "java", None, "String", "String"),
        ("ExternalSymbol", "add", "java.util.List.add", "java", None, "List.add", "add"),
        ("ExternalSymbol", "int", "int", "java", None, "int", "int"),
    ],
)
def test_short_names(kind, name, qualified, language, owner, label, simple):
    assert label_of(kind, name, qualified, language, owner) == label
    assert simple_name_of(kind, name, qualified, owner) == simple
