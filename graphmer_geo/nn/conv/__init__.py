"""Message-passing operators, one per file."""

from graphmer_geo.nn.conv.hetero_hgat_conv import HeteroHGATConv
from graphmer_geo.nn.conv.hgat_conv import HGATConv

__all__ = ["HGATConv", "HeteroHGATConv"]
