"""From a knowledge graph and its source text to tensors."""

from typing import TYPE_CHECKING

from graphmer_geo._lazy import lazily
from graphmer_geo.data.check import Limits, check_batch
from graphmer_geo.data.collate import collate, plan_batches
from graphmer_geo.data.config import ChainConfig, DataConfig
from graphmer_geo.data.dataset import LeafyChainDataset
from graphmer_geo.data.folder import DataFolder, DataManifest
from graphmer_geo.data.leafy_chain import LeafyChainData, Triple, build_chain, chain_to_triples
from graphmer_geo.data.token_table import TokenTable
from graphmer_geo.data.tokenizer import CodeTokenizer

if TYPE_CHECKING:
    from graphmer_geo.data.hetero import from_hetero, node_index, to_hetero
    from graphmer_geo.data.preparation import prepare
else:  # prepared data is enough for training, where no RDF store or parser is installed
    __getattr__ = lazily(
        __name__,
        {
            "from_hetero": "graphmer_geo.data.hetero",
            "node_index": "graphmer_geo.data.hetero",
            "prepare": "graphmer_geo.data.preparation",
            "to_hetero": "graphmer_geo.data.hetero",
        },
    )

__all__ = [
    "ChainConfig",
    "CodeTokenizer",
    "DataConfig",
    "DataFolder",
    "DataManifest",
    "LeafyChainData",
    "LeafyChainDataset",
    "Limits",
    "TokenTable",
    "Triple",
    "build_chain",
    "chain_to_triples",
    "check_batch",
    "collate",
    "from_hetero",
    "node_index",
    "plan_batches",
    "prepare",
    "to_hetero",
]
