from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch_geometric import EdgeIndex

from graphmer_geo.data.fake import FAKE, FakeConfig, fake_batch
from graphmer_geo.nn import ChainStructure, LeafyChainEmbedding, LeafyChainEncoder


def make_encoder(**changes: object) -> LeafyChainEncoder:
    torch.manual_seed(0)
    settings = {"num_relations": FAKE.num_relations, "dropout": 0.0} | changes
    encoder = LeafyChainEncoder(16, 2, 2, 32, **settings)
    with torch.no_grad():
        for parameter in encoder.bias.parameters():
            parameter.normal_()
    return encoder


def one_graph(batch: dict[str, Tensor], x: Tensor, g: int) -> tuple[Tensor, ChainStructure]:
    rows = batch["batch"] == g
    inside = rows[batch["edge_index"][1]]
    place = (batch[key][rows] for key in ("root", "group", "slot"))
    edges = batch["edge_index"][:, inside] - batch["ptr"][g], batch["edge_rel"][inside]
    return x[rows], ChainStructure(*place, torch.zeros(int(rows.sum())).long(), *edges)


@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("decay", ["additive", "multiplicative", "none"])
def test_ragged_batch_equals_graph_by_graph(decay: str, pre_norm: bool) -> None:
    encoder = make_encoder(decay=decay, pre_norm=pre_norm)
    batch = fake_batch(5, FakeConfig(roots=(5, 40)))
    x = torch.randn(batch["tok"].numel(), 16)
    out = encoder(x, ChainStructure.of(batch))
    assert out.shape == x.shape
    for g in range(5):
        alone = encoder(*one_graph(batch, x, g))
        torch.testing.assert_close(out[batch["batch"] == g], alone, atol=1e-5, rtol=1e-5)


def chain(tok: Tensor, embedding: LeafyChainEmbedding, encoder: LeafyChainEncoder) -> Tensor:
    n = tok.numel()
    minus, nothing = torch.full((n,), -1), torch.empty(2, 0, dtype=torch.long)
    x = embedding(tok, minus, nothing, nothing[0])
    place = torch.arange(n), minus, minus, torch.zeros(n).long()
    return encoder(x, ChainStructure(*place, nothing, nothing[0]))


def test_reversed_input_is_not_reversed_output() -> None:
    embedding = LeafyChainEmbedding(50, 16, FAKE.num_relations, dropout=0.0)
    tok = torch.randint(0, 50, (20,))
    for positions, symmetric in (("rope", False), ("none", True)):
        encoder = make_encoder(positions=positions)
        with torch.no_grad():
            embedding.token.weight.normal_()
        out, turned = chain(tok, embedding, encoder), chain(tok.flip(0), embedding, encoder).flip(0)
        # Without positions the encoder cannot tell `a - b` from `b - a`: the trap, kept here as a control.
        assert torch.allclose(out, turned, atol=1e-4) == symmetric
        if not symmetric:
            assert (out - turned).abs().max() > 0.1


def test_slots_of_a_masked_tail_differ() -> None:
    embedding, encoder = LeafyChainEmbedding(50, 16, 4, dropout=0.0), make_encoder(num_relations=4)
    with torch.no_grad():
        embedding.token.weight.normal_()
        embedding.slot.weight.normal_()
    tok = torch.tensor([5, 6, 7, 8, 2, 2, 2])  # four roots, a tail of three masks
    root, group = torch.tensor([0, 1, 2, 3, 1, 1, 1]), torch.tensor([-1, -1, -1, -1, 0, 0, 0])
    slot = torch.tensor([-1, -1, -1, -1, 0, 1, 2])
    edges, relation = torch.tensor([[1, 1, 1], [4, 5, 6]]), torch.tensor([1, 1, 1])
    x = embedding(tok, slot, edges, relation)
    out = encoder(x, ChainStructure(root, group, slot, torch.zeros(7).long(), edges, relation))
    assert min((out[a] - out[b]).abs().max() for a, b in ((4, 5), (5, 6), (4, 6))) > 0.1


def test_relation_bias_is_seen() -> None:
    encoder = make_encoder()
    batch = fake_batch(3)
    x = torch.randn(batch["tok"].numel(), 16)
    chains = ChainStructure.of(batch)
    out = encoder(x, chains)
    others = chains._replace(edge_rel=batch["edge_rel"] % (FAKE.num_relations - 1) + 1)
    assert not torch.allclose(out, encoder(x, others))
    assert make_encoder(num_relations=None)(x, ChainStructure(*chains[:4])).shape == x.shape


@pytest.mark.parametrize("leaf_edges", ["star", "path"])
@pytest.mark.parametrize("pre_norm", [True, False])
def test_interleaved_hgat_runs_after_every_second_layer(leaf_edges: str, pre_norm: bool) -> None:
    encoder = make_encoder(hgat_every=2, leaf_edges=leaf_edges, pre_norm=pre_norm).eval()
    plain = make_encoder(leaf_edges=leaf_edges, pre_norm=pre_norm).eval()
    plain.load_state_dict(encoder.state_dict(), strict=False)
    assert len(encoder.convs) == 1
    batch = fake_batch(3)
    x = torch.randn(batch["tok"].numel(), 16)
    chains = ChainStructure.of(batch)
    if plain.norm is not None:
        plain.norm = torch.nn.Identity()
    states = encoder.convs[0](plain(x, chains), *encoder.convs[0].edges(chains))
    expected = states if encoder.norm is None else encoder.norm(states)
    torch.testing.assert_close(encoder(x, chains), expected)


def test_order_of_nodes_does_not_matter() -> None:
    """Leaves in any order, roots in any order: `root`, `group` and `slot` say where a node is."""
    encoder = make_encoder(hgat_every=1, leaf_edges="path").eval()
    batch = fake_batch(3)
    n = batch["tok"].numel()
    x = torch.randn(n, 16)
    place = torch.cat([torch.randperm(int(b - a)) + a for a, b in batch["ptr"].unfold(0, 2, 1)])
    edges = torch.randperm(batch["edge_rel"].numel())
    chains = ChainStructure.of(batch)
    moved = [torch.empty_like(values).index_copy(0, place, values) for values in chains.place]
    turned = place[batch["edge_index"]][:, edges], batch["edge_rel"][edges]
    out = encoder(
        torch.empty_like(x).index_copy(0, place, x), ChainStructure(*moved, batch["batch"], *turned)
    )
    expected = encoder(x, chains)
    torch.testing.assert_close(out[place], expected, atol=1e-5, rtol=1e-5)


def test_an_edge_index_of_pyg_is_an_edge_index() -> None:
    encoder, batch = make_encoder(hgat_every=1).eval(), fake_batch(3)
    n = batch["tok"].numel()
    embedding = LeafyChainEmbedding(FAKE.vocab_size, 16, FAKE.num_relations).eval()
    states = []
    for edges in (batch["edge_index"], EdgeIndex(batch["edge_index"], sparse_size=(n, n))):
        x = embedding(batch["tok"], batch["slot"], edges, batch["edge_rel"])
        states.append(encoder(x, ChainStructure.of(batch)._replace(edge_index=edges)))
    assert torch.equal(*states)


@pytest.mark.parametrize("n", [1, 2])
def test_a_graph_of_one_or_two_roots(n: int) -> None:
    encoder, x = make_encoder(hgat_every=1).eval(), torch.randn(n, 16)
    minus, zero = torch.full((n,), -1), torch.zeros(n, dtype=torch.long)
    out = encoder(x, ChainStructure(torch.arange(n), minus, minus, zero))
    assert out.isfinite().all()
    roots, graphs = torch.cat((torch.arange(n), torch.arange(5))), torch.cat((zero, torch.ones(5).long()))
    chains = ChainStructure(roots, *[torch.full((n + 5,), -1)] * 2, graphs)
    beside = encoder(torch.cat((x, torch.randn(5, 16))), chains)
    torch.testing.assert_close(beside[:n], out, atol=1e-5, rtol=1e-5)


def test_every_parameter_learns() -> None:
    encoder, batch = make_encoder(dropout=0.1), fake_batch(4)
    encoder(torch.randn(batch["tok"].numel(), 16), ChainStructure.of(batch)).pow(3).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_batch_of_nothing() -> None:
    nothing = torch.empty(0, dtype=torch.long)
    out = make_encoder()(torch.randn(0, 16), ChainStructure(*[nothing] * 4, nothing.view(2, 0), nothing))
    assert out.shape == (0, 16)


def test_bad_positions() -> None:
    with pytest.raises(ValueError, match="'learned'"):
        LeafyChainEncoder(8, 1, 1, 8, positions="learned")
    for every, relations in ((3, 4), (-1, 4), (1, None)):
        with pytest.raises(ValueError, match=f"hgat_every={every}"):
            LeafyChainEncoder(8, 2, 1, 8, num_relations=relations, hgat_every=every)
