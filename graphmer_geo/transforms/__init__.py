"""Transforms of leafy chains, one per file, usable alone or inside ``torch_geometric.transforms.Compose``."""

from graphmer_geo.transforms.eval_queries import EvalQueries
from graphmer_geo.transforms.hide_telling import HideTelling
from graphmer_geo.transforms.mask_nodes import MaskNodes
from graphmer_geo.transforms.mask_tokens import MaskTokens

__all__ = ["EvalQueries", "HideTelling", "MaskNodes", "MaskTokens"]
