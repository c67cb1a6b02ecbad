"""The Java language: tree-sitter to facts."""

from __future__ import annotations

from graphmer_geo.kg.languages.java.language import JAVA

__all__ = ["JAVA"]
