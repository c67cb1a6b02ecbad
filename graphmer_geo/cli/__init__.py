"""The command ``graphmer``.

Each command is one typed function: its signature is the command line, the YAML schema and the Python API.
Nothing here imports torch, rdflib or a parser until a command that needs it runs.
"""

from __future__ import annotations

from graphmer_geo.cli.entry import main

__all__ = ["main"]
