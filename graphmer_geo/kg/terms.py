"""RDF terms to Python values and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyoxigraph as ox

from graphmer_geo.kg.vocabulary import XSD

_INTEGER, _BOOLEAN = XSD + "integer", XSD + "boolean"
_FLOATS = {XSD + "double", XSD + "float"}
_DECIMAL = XSD + "decimal"

Term = ox.NamedNode | ox.BlankNode | ox.Literal


def to_python(term: Any) -> Any:
    """A query result as a plain Python value; IRIs and blank nodes become strings."""
    if isinstance(term, ox.NamedNode):
        return term.value
    if isinstance(term, ox.Literal):
        datatype = term.datatype.value
        if datatype == _INTEGER:
            return int(term.value)
        if datatype == _BOOLEAN:
            return term.value in ("true", "1")
        if datatype in _FLOATS:
            return float(term.value)
        return Decimal(term.value) if datatype == _DECIMAL else term.value
    return str(term)


def to_term(value: Any) -> Term:
    """A Python, rdflib or pyoxigraph value as a term; a string that looks like an absolute IRI is one.

    Raises:
        TypeError: If the value has no RDF counterpart.
    """
    if isinstance(value, (ox.NamedNode, ox.BlankNode, ox.Literal)):
        return value
    if hasattr(value, "n3"):  # an rdflib term, told apart without importing rdflib
        return _from_rdflib(value)
    if isinstance(value, (bool, int, float)):
        return ox.Literal(value)
    if isinstance(value, str):
        is_iri = value.startswith(("http://", "https://", "urn:")) and not any(c.isspace() for c in value)
        return ox.NamedNode(value) if is_iri else ox.Literal(value)
    raise TypeError(f"no RDF term for {value!r} of type {type(value).__name__}")


def _from_rdflib(value: Any) -> Term:
    from rdflib import BNode, URIRef

    if isinstance(value, URIRef):
        return ox.NamedNode(str(value))
    if isinstance(value, BNode):
        return ox.BlankNode(str(value))
    if value.language:
        return ox.Literal(str(value), language=value.language)
    datatype = str(value.datatype) if value.datatype else XSD + "string"
    return ox.Literal(str(value), datatype=ox.NamedNode(datatype))
