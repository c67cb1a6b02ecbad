"""graphmer-geo: graph neural networks for code that stand on a real knowledge graph."""

__version__ = "0.1.0"
