"""Definitions in the graph against what the languages' own parsers say of the same bytes."""
