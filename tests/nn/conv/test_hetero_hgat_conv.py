from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.explain import AttentionExplainer, Explainer, GNNExplainer

from graphmer_geo.nn import HeteroHGATConv, HGATConv

CALLS, READS, OWNS = ("f", "calls", "f"), ("f", "reads", "v"), ("c", "owns", "f")
METADATA = (["f", "v", "c"], [CALLS, READS, OWNS])
EDGES = {
    CALLS: torch.tensor([[0, 1, 2, 3], [1, 0, 0, 2]]),
    READS: torch.tensor([[0, 1, 3], [0, 0, 1]]),
    OWNS: torch.tensor([[0, 0, 1], [0, 2, 2]]),
}


def features(widths: tuple[int, int, int] = (4, 5, 6)) -> dict[str, Tensor]:
    torch.manual_seed(1)
    sizes = {"f": 4, "v": 3, "c": 2}
    return {kind: torch.randn(n, width) for (kind, n), width in zip(sizes.items(), widths, strict=True)}


@pytest.mark.parametrize("lazy", [True, False])
@pytest.mark.parametrize(("heads", "concat", "width"), [(1, True, 8), (2, True, 16), (2, False, 8)])
def test_every_node_type_comes_back(lazy: bool, heads: int, concat: bool, width: int) -> None:
    """PyG's HeteroConv and HGTConv drop a node type without incoming edges."""
    in_channels = -1 if lazy else {"f": 4, "v": 5, "c": 6}
    conv = HeteroHGATConv(in_channels, 8, METADATA, heads=heads, concat=concat)
    out = conv(features(), EDGES)
    assert {kind: tuple(value.shape) for kind, value in out.items()} == {
        "f": (4, width), "v": (3, width), "c": (2, width),
    }  # fmt: skip
    assert not out["c"].any()
    assert not out["v"][2].any()
    assert set(conv(features(), {})) == {"f", "v", "c"}


def test_equals_one_homogeneous_graph() -> None:
    """Nodes of all types side by side, edge types as relations, each normalised on its own."""
    conv = HeteroHGATConv(4, 6, METADATA, heads=2)
    x_dict = features((4, 4, 4))
    first = {"f": 0, "v": 4, "c": 7}
    for bipartite in (READS, OWNS):  # here both sides of an edge type share one matrix, as in GraphMERT
        conv.convs[bipartite].weight_dst.data.copy_(conv.convs[bipartite].weight)
    single = HGATConv(4, 6, num_relations=3, heads=2, attention="within-relation")
    with torch.no_grad():
        for r, edge_type in enumerate(METADATA[1]):
            for name in ("weight", "att_src", "att_dst"):
                getattr(single, name)[r] = getattr(conv.convs[edge_type], name)[0]
    ends = [EDGES[t] + torch.tensor([[first[t[0]]], [first[t[2]]]]) for t in METADATA[1]]
    relation = torch.cat([torch.full((e.size(1),), r) for r, e in enumerate(ends)])
    expected = single(torch.cat(list(x_dict.values())), torch.cat(ends, dim=1), relation)
    torch.testing.assert_close(torch.cat(list(conv(x_dict, EDGES).values())), expected)


@pytest.mark.parametrize("kind", ["EdgeIndex", "coo", "csr"])
def test_every_form_of_edges(kind: str) -> None:
    conv, x = HeteroHGATConv(-1, 8, METADATA), features()
    expected = conv(x, EDGES)
    edges = {}
    for ends, index in EDGES.items():
        size = x[ends[0]].size(0), x[ends[2]].size(0)
        adj_t = torch.sparse_coo_tensor(index.flip(0), torch.zeros(index.size(1)), size[::-1]).coalesce()
        forms = {"coo": adj_t, "csr": adj_t.to_sparse_csr(), "EdgeIndex": EdgeIndex(index, sparse_size=size)}
        edges[ends] = forms[kind]
    torch.testing.assert_close(conv(x, edges), expected)


def test_attention_weights_by_edge_type() -> None:
    conv = HeteroHGATConv(-1, 8, METADATA, heads=2)
    out, attention = conv(features(), EDGES, return_attention_weights=True)
    assert set(attention) == set(METADATA[1])
    edge_index, alpha = attention[CALLS]
    sums = torch.zeros(4, 2).index_add(0, edge_index[1], alpha)
    torch.testing.assert_close(sums, torch.tensor([1.0, 1, 1, 0])[:, None].expand(4, 2))
    torch.testing.assert_close(out, conv(features(), EDGES))


def test_compiles_whole() -> None:
    conv = HeteroHGATConv({"f": 4, "v": 5, "c": 6}, 8, METADATA)
    expected = conv(features(), EDGES)
    compiled = torch.compile(conv, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(features(), EDGES), expected)


def test_repr_reset_and_bad_metadata() -> None:
    conv = HeteroHGATConv(4, 8, METADATA)
    assert repr(conv).startswith("HeteroHGATConv(\n  node_types=['f', 'v', 'c']")
    assert repr(conv).count("HGATConv((4, 4), 8, num_relations=1, heads=1)") == 2
    before = [parameter.clone() for parameter in conv.parameters()]
    conv.reset_parameters()
    assert not any(torch.equal(a, b) for a, b in zip(before, conv.parameters(), strict=True))
    with pytest.raises(ValueError, match="'x' of"):
        HeteroHGATConv(4, 8, (["f"], [("f", "calls", "x")]))


class Classifier(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = HeteroHGATConv({"f": 4, "v": 5, "c": 6}, 3, METADATA)

    def forward(self, x_dict: dict[str, Tensor], edge_index_dict: dict[tuple[str, ...], Tensor]) -> Tensor:
        out = self.conv(x_dict, edge_index_dict)
        return out["f"] + out["v"].sum(0)


@pytest.mark.parametrize("algorithm", [GNNExplainer(epochs=3), AttentionExplainer()])
def test_explainers_work(algorithm: object) -> None:
    explainer = Explainer(
        Classifier(),
        algorithm=algorithm,
        explanation_type="model",
        edge_mask_type="object",
        model_config={"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"},
    )
    explanation = explainer(features(), EDGES, index=0)
    for kind in EDGES:
        mask = explanation[kind].edge_mask
        assert mask.shape == (EDGES[kind].size(1),)
        assert mask.abs().sum() > 0
