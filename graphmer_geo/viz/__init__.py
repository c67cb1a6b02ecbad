"""Plots and drawings. Needs the extra ``viz``, except for :func:`draw_leafy_chain`."""

from __future__ import annotations

from graphmer_geo.viz.leafy_chain import draw_leafy_chain

__all__ = ["draw_leafy_chain"]
