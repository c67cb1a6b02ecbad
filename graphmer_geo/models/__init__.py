"""Complete models, each with its configuration."""

from graphmer_geo.models.config import GraphMERConfig
from graphmer_geo.models.graphmer import TARGETS, GraphMER
from graphmer_geo.models.output import GraphMEROutput

__all__ = ["TARGETS", "GraphMER", "GraphMERConfig", "GraphMEROutput"]
