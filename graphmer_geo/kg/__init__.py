"""Source code to an RDF knowledge graph. Nothing here needs torch."""

from __future__ import annotations

from graphmer_geo.kg.build import build_kg
from graphmer_geo.kg.sources import Source
from graphmer_geo.kg.store import KnowledgeGraph

__all__ = ["KnowledgeGraph", "Source", "build_kg"]
