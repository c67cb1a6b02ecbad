"""HGATConv in PyG's HeteroConv: the types of parameters, from names and from the code around them.

A knowledge graph of some Python package is the data. Nodes are its entities; between two kinds of nodes there
is one HGATConv, whose relations are what the ontology says between them (calls, reads, hasParameter, …, and
their inverses). The declared and inferred types of a part of the parameters are hidden and predicted.

Run: python examples/hgat_in_hetero_conv.py [FOLDER]
"""

from __future__ import annotations

import re
import sys
import zlib
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import HeteroConv

from graphmer_geo.data import to_hetero
from graphmer_geo.kg import build_kg
from graphmer_geo.nn import HGATConv

CLASSES, BUCKETS, HIDDEN = 5, 256, 32
Ends = tuple[str, str, str]


def labels_of(data: HeteroData) -> tuple[Tensor, list[str]]:
    """The most frequent types as classes, [parameters], -1 where none is known; takes the edges out."""
    known: dict[int, str] = {}
    for source, relation, target in list(data.edge_types):
        if (source, relation) == ("Parameter", "hasType"):
            for parameter, type_ in data[source, relation, target].edge_index.t().tolist():
                known[parameter] = data[target].qualified_name[type_]
            del data[source, relation, target]
    names = [name for name, _ in Counter(known.values()).most_common(CLASSES)]
    y = torch.full((data["Parameter"].num_nodes,), -1)
    for parameter, name in known.items():
        if name in names:
            y[parameter] = names.index(name)
    return y, names


def words(name: str) -> Tensor:
    """The words of a name, as a bag in hashed buckets."""
    bag = torch.zeros(BUCKETS)
    for word in re.findall(r"[a-z]+|[A-Z][a-z]*", name):
        bag[zlib.crc32(word.lower().encode()) % BUCKETS] = 1.0
    return bag


def relations_between(data: HeteroData) -> tuple[dict[Ends, Tensor], dict[Ends, Tensor], int]:
    """Edges and relation ids, both directions, by the kinds of their ends."""
    ids: dict[str, int] = {}
    edges: dict[Ends, list[Tensor]] = {}
    types: dict[Ends, list[Tensor]] = {}
    for source, relation, target in data.edge_types:
        index = data[source, relation, target].edge_index
        for name, ends, part in (
            (relation, (source, "to", target), index),
            (f"{relation}^-1", (target, "to", source), index.flip(0)),
        ):
            number = ids.setdefault(name, len(ids))
            edges.setdefault(ends, []).append(part)
            types.setdefault(ends, []).append(torch.full((part.size(1),), number))
    joined = {ends: torch.cat(parts, dim=1) for ends, parts in edges.items()}
    return joined, {ends: torch.cat(parts) for ends, parts in types.items()}, len(ids)


class Net(nn.Module):
    """Two rounds of messages with residuals."""

    def __init__(self, kinds: list[str], ends: list[Ends], num_relations: int) -> None:
        super().__init__()
        self.embed = nn.ModuleDict({kind: nn.Linear(BUCKETS, HIDDEN) for kind in kinds})
        self.convs = nn.ModuleList(
            HeteroConv({e: HGATConv((-1, -1), HIDDEN, num_relations, num_bases=4) for e in ends})
            for _ in range(2)
        )
        self.classify = nn.Linear(HIDDEN, CLASSES)
        self.dropout = nn.Dropout(0.3)

    def forward(self, x: dict[str, Tensor], edges: dict[Ends, Tensor], types: dict[Ends, Tensor]) -> Tensor:
        x = {kind: self.embed[kind](self.dropout(value)) for kind, value in x.items()}
        for conv in self.convs:
            new = conv(x, edges, edge_type_dict=types)
            x = {kind: value + new[kind].relu() if kind in new else value for kind, value in x.items()}
        return self.classify(self.dropout(x["Parameter"]))


def main(folder: str | Path, steps: int = 20) -> float:
    """Train on 70 % of the parameters whose type is known; return the accuracy on the others."""
    torch.manual_seed(0)
    data = to_hetero(build_kg([folder]))
    y, names = labels_of(data)
    known = (y >= 0).nonzero().squeeze(1)
    known = known[torch.randperm(len(known))]
    train, test = known[: int(0.7 * len(known))], known[int(0.7 * len(known)) :]
    print(f"{len(train)} parameters to learn from, {len(test)} to predict: {', '.join(names)}")

    x = {kind: torch.stack([words(name) for name in data[kind].name]) for kind in data.node_types}
    edges, types, num_relations = relations_between(data)
    model = Net(data.node_types, list(edges), num_relations)
    with torch.no_grad():
        model(x, edges, types)  # the widths of lazy layers
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x, edges, types)[train], y[train])
        loss.backward()
        optimizer.step()
    model.eval()
    accuracy = (model(x, edges, types)[test].argmax(dim=1) == y[test]).float().mean().item()
    majority = (y[test] == y[train].mode().values).float().mean().item()
    print(f"loss {loss.item():.3f}")
    print(f"accuracy {accuracy:.2f}, always the most frequent type {majority:.2f}")
    return accuracy


if __name__ == "__main__":
    import argparse

    main(sys.argv[1] if len(sys.argv) > 1 else Path(argparse.__file__).parent / "email")
