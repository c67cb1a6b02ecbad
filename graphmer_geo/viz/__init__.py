"""Plots and drawings. Needs the extra ``viz``, except for drawings of chains."""

from __future__ import annotations

from graphmer_geo.viz.leafy_chain import draw_leafy_chain, most_telling

__all__ = ["draw_leafy_chain", "most_telling"]
