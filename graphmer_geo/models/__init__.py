"""Complete models, each with its configuration."""

from graphmer_geo.models.config import GraphMERConfig
from graphmer_geo.models.graphmer import TARGETS, GraphMER, GraphMEROutput

__all__ = ["TARGETS", "GraphMER", "GraphMERConfig", "GraphMEROutput"]
