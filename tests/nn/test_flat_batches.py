"""What every layer over flat batches promises: order, emptiness, attention weights, explanations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.explain import AttentionExplainer, Explainer, GNNExplainer

from graphmer_geo.data.fake import FAKE, FakeConfig, fake_batch
from graphmer_geo.nn import (
    ChainStructure,
    GraphAttentionBias,
    GraphDecayAttention,
    HGATConv,
    LeafyChainConv,
    LeafyChainEmbedding,
    LeafyChainEncoder,
    LeafyChainEncoderLayer,
    rotary_angles,
)

D, HEADS, R = 8, 2, FAKE.num_relations
BIAS = GraphAttentionBias(HEADS, R)
with torch.no_grad():
    for parameter in BIAS.parameters():
        parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))


class Flat(NamedTuple):
    """How to make a layer, and what it is called with, from states or tokens and a structure."""

    make: Callable[[], nn.Module]
    inputs: Callable[[Any, ChainStructure], tuple[Any, ...]]
    tokens: bool = False


def attention(layer: Any, chains: ChainStructure) -> tuple[Any, ...]:
    return BIAS.ragged(chains), rotary_angles(chains.root, D // HEADS)


LAYERS = {
    "HGATConv": Flat(lambda: HGATConv(D, D, R, num_bases=2), lambda layer, chains: chains.edges),
    "LeafyChainEmbedding": Flat(
        lambda: LeafyChainEmbedding(FAKE.vocab_size, D, R),
        lambda layer, chains: (chains.slot, *chains.edges),
        tokens=True,
    ),
    "LeafyChainConv": Flat(
        lambda: LeafyChainConv(D, R, leaf_edges="path"), lambda layer, chains: layer.edges(chains)
    ),
    "GraphDecayAttention": Flat(lambda: GraphDecayAttention(D, HEADS), attention),
    "LeafyChainEncoderLayer": Flat(lambda: LeafyChainEncoderLayer(D, HEADS, 16), attention),
    "LeafyChainEncoder": Flat(
        lambda: LeafyChainEncoder(D, 2, HEADS, 16, R, hgat_every=2), lambda layer, chains: (chains,)
    ),
}


def made(name: str) -> tuple[Any, Callable[..., Any]]:
    """A layer, and a function of states (or tokens), structure and options of its `forward`."""
    torch.manual_seed(0)
    layer = LAYERS[name].make().eval()
    return layer, lambda x, chains, **options: layer(x, *LAYERS[name].inputs(layer, chains), **options)


def start(name: str, batch: dict[str, Tensor]) -> Tensor:
    return batch["tok"] if LAYERS[name].tokens else torch.randn(batch["tok"].numel(), D)


@pytest.mark.parametrize("name", LAYERS)
def test_nodes_of_a_graph_may_come_in_any_order(name: str) -> None:
    _, run = made(name)
    batch = fake_batch(3)
    x, chains = start(name, batch), ChainStructure.of(batch)
    place = torch.cat([torch.randperm(int(b - a)) + a for a, b in batch["ptr"].unfold(0, 2, 1)])

    def moved(values: Tensor) -> Tensor:
        return torch.empty_like(values).index_copy(0, place, values)

    edges = place[chains.edge_index], chains.edge_rel
    turned = ChainStructure(*map(moved, chains.place), chains.batch, *edges)
    torch.testing.assert_close(run(moved(x), turned), moved(run(x, chains)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_nothing_one_root_and_a_single_edge(name: str) -> None:
    _, run = made(name)
    nothing = torch.empty(2, 0, dtype=torch.long), torch.empty(0, dtype=torch.long)
    for edges in (nothing, (torch.tensor([[0], [1]]), torch.tensor([3]))):
        for n in (2,) if edges[1].numel() else (0, 1):
            root, leaf = torch.zeros(n, dtype=torch.long), (torch.arange(n) > 0).long() - 1
            chains = ChainStructure(root, leaf, leaf, root, *edges)
            out = run(root if LAYERS[name].tokens else torch.randn(n, D), chains)
            assert out.shape == (n, D)
            assert out.isfinite().all()


@pytest.mark.parametrize("name", LAYERS)
def test_attention_weights_of_a_node_sum_to_one(name: str) -> None:
    _, run = made(name)
    batch = fake_batch(4, FakeConfig(roots=(5, 40)))  # several buckets, one chain without triples
    x, chains = start(name, batch), ChainStructure.of(batch)
    expected = run(x, chains)
    out, (edge_index, alpha) = run(x, chains, return_attention_weights=True)
    torch.testing.assert_close(out, expected, atol=1e-6, rtol=1e-6)
    for weights in alpha if alpha.dim() == 3 else [alpha]:
        sums = torch.zeros(len(x), weights.size(1)).index_add(0, edge_index[1], weights)
        reached = torch.zeros(len(x), dtype=torch.bool).index_fill(0, edge_index[1], True)
        torch.testing.assert_close(sums, reached[:, None].expand_as(sums).float())
    graph = chains.batch[edge_index]
    assert torch.equal(*graph)
    if name.startswith(("Graph", "LeafyChainEncoder")):  # every pair of nodes of a graph
        assert alpha.size(-2) == int(batch["ptr"].diff().square().sum())


def test_padded_and_flat_attention_weights_agree() -> None:
    layer, run = made("GraphDecayAttention")
    batch = fake_batch(3)
    x, chains = start("GraphDecayAttention", batch), ChainStructure.of(batch)
    _, (edge_index, alpha) = run(x, chains, return_attention_weights=True)
    layout = chains._replace(mask=batch["place_mask"]).layout()
    root, group, slot, (states,) = (*(layout.pad(v)[0] for v in chains.place), layout.pad(x))
    bias = BIAS(root, group, slot, batch["place_mask"], layout.place[chains.edge_index], chains.edge_rel)
    angles = rotary_angles(root, D // HEADS)
    _, weights = layer(states, bias, angles, return_attention_weights=True)  # [B, H, N, N]
    graph, first = chains.batch[edge_index[1]], batch["ptr"][chains.batch[edge_index[1]]]
    asked, asks = edge_index - first
    torch.testing.assert_close(weights[graph, :, asks, asked], alpha)


def test_weights_that_nobody_keeps() -> None:
    batch = fake_batch(2)
    chains, x = ChainStructure.of(batch), torch.randn(batch["tok"].numel(), D)
    with pytest.raises(ValueError, match="take the dense kernel"):
        GraphDecayAttention(D, HEADS)(x, BIAS.flex(chains), return_attention_weights=True)
    embedding = LeafyChainEmbedding(FAKE.vocab_size, D, R, hgat=False)
    with pytest.raises(ValueError, match="hgat=False"):
        embedding(batch["tok"], chains.slot, *chains.edges, return_attention_weights=True)


class Classifier(nn.Module):
    """A layer under PyG's explainers, which look for the argument `edge_index`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.layer, _ = made(name)

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor, slot: Tensor | None = None) -> Tensor:
        if slot is None:
            return self.layer(x, edge_index, edge_type)
        return self.layer(x.squeeze(1), slot, edge_index, edge_type)  # tokens, as features of width 1


@pytest.mark.parametrize("algorithm", [GNNExplainer(epochs=3), AttentionExplainer()])
@pytest.mark.parametrize("name", ["LeafyChainEmbedding", "LeafyChainConv"])
def test_explainers_work_where_messages_pass(name: str, algorithm: Any) -> None:
    batch = fake_batch(2)
    x, chains = start(name, batch), ChainStructure.of(batch)
    model = Classifier(name)
    edge_index, edge_type = chains.edges
    more: dict[str, Any] = {"slot": chains.slot}
    if name == "LeafyChainConv":
        edge_index, edge_type = model.layer.edges(chains)
        real = (edge_index < len(x)).all(dim=0)
        edge_index, edge_type, more = edge_index[:, real], edge_type[real], {}
    explainer = Explainer(
        model,
        algorithm=algorithm,
        explanation_type="model",
        edge_mask_type="object",
        model_config={"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"},
    )
    leaf = int(chains.edge_index[1, 0])
    x = x.unsqueeze(1) if LAYERS[name].tokens else x
    explanation = explainer(x, edge_index, edge_type=edge_type, index=leaf, **more)
    mask = explanation.edge_mask
    assert mask.shape == edge_type.shape
    assert mask[edge_index[1] == leaf].abs().sum() > 0
