"""Layers over leafy chains. This package needs torch and PyTorch Geometric, nothing else of graphmer-geo."""

from graphmer_geo.nn.attention import GraphDecayAttention
from graphmer_geo.nn.bias import AttentionBias, GraphAttentionBias, RelationBias
from graphmer_geo.nn.chain_conv import LeafyChainConv
from graphmer_geo.nn.conv import HeteroHGATConv, HGATConv
from graphmer_geo.nn.decay import GraphDecay, decay_log
from graphmer_geo.nn.distance import leafy_chain_distance
from graphmer_geo.nn.embedding import LeafyChainEmbedding
from graphmer_geo.nn.encoder import LeafyChainEncoder, LeafyChainEncoderLayer
from graphmer_geo.nn.heads import EntityRankingHead, LMHead
from graphmer_geo.nn.lexical import LexicalMatch, QueryContext
from graphmer_geo.nn.losses import sampled_softmax_loss, token_loss
from graphmer_geo.nn.names import Names, TokenSalience
from graphmer_geo.nn.popularity import NamePopularity
from graphmer_geo.nn.proximity import Proximity
from graphmer_geo.nn.rotary import rotary_angles, rotate
from graphmer_geo.nn.span_boundary import OutputTransform, SpanBoundaryHead
from graphmer_geo.nn.structure import ChainStructure

__all__ = [
    "AttentionBias",
    "ChainStructure",
    "EntityRankingHead",
    "GraphAttentionBias",
    "GraphDecay",
    "GraphDecayAttention",
    "HGATConv",
    "HeteroHGATConv",
    "LMHead",
    "LeafyChainConv",
    "LeafyChainEmbedding",
    "LeafyChainEncoder",
    "LeafyChainEncoderLayer",
    "LexicalMatch",
    "NamePopularity",
    "Names",
    "OutputTransform",
    "Proximity",
    "QueryContext",
    "RelationBias",
    "SpanBoundaryHead",
    "TokenSalience",
    "decay_log",
    "leafy_chain_distance",
    "rotary_angles",
    "rotate",
    "sampled_softmax_loss",
    "token_loss",
]
