"""From a knowledge graph and its source text to tensors."""

from graphmer_geo.data.collate import collate, plan_batches
from graphmer_geo.data.leafy_chain import LeafyChainData, Triple, build_chain, chain_to_triples
from graphmer_geo.data.token_table import TokenTable

__all__ = [
    "LeafyChainData",
    "TokenTable",
    "Triple",
    "build_chain",
    "chain_to_triples",
    "collate",
    "plan_batches",
]
