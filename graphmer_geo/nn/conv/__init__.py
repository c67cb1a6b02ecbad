"""Message-passing operators, one per file."""

from graphmer_geo.nn.conv.hgat_conv import HGATConv

__all__ = ["HGATConv"]
