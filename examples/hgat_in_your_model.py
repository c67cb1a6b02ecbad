"""HGATConv in an ordinary PyG model: classify nodes of a graph whose edges have types.

Run: python examples/hgat_in_your_model.py
"""

from __future__ import annotations

import torch
from torch import nn
from torch_geometric.nn import GCNConv

from graphmer_geo.nn import HGATConv


class Net(nn.Module):
    """One H-GAT layer between two of PyG's own."""

    def __init__(self, in_channels: int, hidden: int, num_classes: int, num_relations: int) -> None:
        super().__init__()
        self.first = GCNConv(in_channels, hidden)
        self.typed = HGATConv(hidden, hidden, num_relations, num_bases=2)
        self.last = nn.Linear(hidden, num_classes)

    def forward(self, x, edge_index, edge_type):
        x = self.first(x, edge_index).relu()
        x = x + self.typed(x, edge_index, edge_type)
        return self.last(x)


def main(num_nodes: int = 60, num_edges: int = 240, num_relations: int = 4, steps: int = 150) -> float:
    """Learn a label that only the edge types reveal; return the accuracy."""
    torch.manual_seed(0)
    edge_index = torch.randint(num_nodes, (2, num_edges))
    edge_type = torch.randint(num_relations, (num_edges,))
    # A node's class is the most frequent type among its incoming edges.
    counts = torch.zeros(num_nodes, num_relations).index_put_(
        (edge_index[1], edge_type), torch.ones(num_edges), accumulate=True
    )
    y, x = counts.argmax(dim=1), torch.ones(num_nodes, 8)

    model = Net(8, 32, num_relations, num_relations)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x, edge_index, edge_type), y)
        loss.backward()
        optimizer.step()
    model.eval()
    accuracy = (model(x, edge_index, edge_type).argmax(dim=1) == y).float().mean().item()
    print(f"loss {loss.item():.3f}, accuracy {accuracy:.2f}")
    return accuracy


if __name__ == "__main__":
    main()
