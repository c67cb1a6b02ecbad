"""Source code to an RDF knowledge graph. Nothing here needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmer_geo._lazy import lazily

if TYPE_CHECKING:
    from graphmer_geo.kg.build import build_kg
    from graphmer_geo.kg.sources import Source
    from graphmer_geo.kg.store import KnowledgeGraph
else:  # the vocabulary serves training too, where no RDF store or parser is installed
    __getattr__ = lazily(
        __name__,
        {
            "KnowledgeGraph": "graphmer_geo.kg.store",
            "Source": "graphmer_geo.kg.sources",
            "build_kg": "graphmer_geo.kg.build",
        },
    )

__all__ = ["KnowledgeGraph", "Source", "build_kg"]
