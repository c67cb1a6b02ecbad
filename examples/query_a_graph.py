"""Build a knowledge graph of some code, ask it questions, and turn it into a HeteroData.

Run: python examples/query_a_graph.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

from graphmer_geo.data import to_hetero
from graphmer_geo.kg import build_kg

UNUSED = """
SELECT ?name ?file ?line WHERE {
  ?f a gm:Function ; gm:qualifiedName ?name ; gm:definedInFile ?file ; gm:startLine ?line .
  FILTER NOT EXISTS { ?caller gm:calls ?f }
  FILTER NOT EXISTS { ?user gm:refersTo ?f }
} ORDER BY ?name LIMIT 10
"""

MOST_CALLED = """
SELECT ?name (COUNT(DISTINCT ?caller) AS ?callers) WHERE {
  ?caller gm:calls ?callee . ?callee gm:qualifiedName ?name .
} GROUP BY ?name ORDER BY DESC(?callers) ?name LIMIT 5
"""


def main(folder: str | Path) -> None:
    """Print what the graph says about the code in ``folder``."""
    kg = build_kg([folder])
    print("called from most places:")
    for row in kg.query(MOST_CALLED):
        print(f"  {row['callers']:4}  {row['name']}")
    print("functions that nothing here uses:")
    for row in kg.query(UNUSED):
        print(f"        {row['name']}, line {row['line']}")

    data = to_hetero(kg)
    print(f"as tensors: {data.num_nodes} nodes of {len(data.node_types)} types, {data.num_edges} edges")


if __name__ == "__main__":
    import argparse

    main(sys.argv[1] if len(sys.argv) > 1 else Path(argparse.__file__).parent / "json")
