from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.export import Dim
from torch_geometric import EdgeIndex
from torch_geometric.explain import AttentionExplainer, Explainer, GNNExplainer
from torch_geometric.nn import HeteroConv
from torch_geometric.typing import WITH_TORCH_SPARSE, SparseTensor

from graphmer_geo.nn import HGATConv


def literal(conv: HGATConv, x: Tensor, triples: list[tuple[list[int], list[int], int]]) -> Tensor:
    """The sum over j of alpha_ij W_r h_j, triple by triple and token by token, as the paper writes it."""
    if conv.comp is None:
        weight = conv.weight
    else:
        weight = sum(conv.comp[:, b, None, None] * conv.weight[b] for b in range(conv.num_bases))
    out = x.new_zeros(len(x), conv.heads, conv.out_channels)
    for heads, tails, r in triples:
        for i in tails:
            for k in range(conv.heads):
                columns = slice(k * conv.out_channels, (k + 1) * conv.out_channels)
                w = weight[r][:, columns]
                a = torch.cat((conv.att_dst[r, k], conv.att_src[r, k]))
                e = torch.stack(
                    [F.leaky_relu(a @ torch.cat((x[i] @ w, x[j] @ w)), conv.negative_slope) for j in heads]
                )
                alpha = e.softmax(0)
                out[i, k] += sum(alpha[n] * (x[j] @ w) for n, j in enumerate(heads))
    return out.flatten(1) if conv.concat else out.mean(1)


def edges(triples: list[tuple[list[int], list[int], int]]) -> tuple[Tensor, Tensor]:
    rows = [(j, i, r) for heads, tails, r in triples for i in tails for j in heads]
    table = torch.tensor(rows, dtype=torch.long).view(-1, 3)
    return table[:, :2].t().contiguous(), table[:, 2]


CASES = {
    "several heads": [([0, 1, 2], [6, 7], 1)],
    "one head token": [([3], [6, 7, 8], 2)],
    "shared head": [([0, 1], [6], 1), ([0, 1], [7, 8], 1), ([0, 1], [9], 3)],
    "overlapping heads": [([0, 1, 2], [6], 1), ([1, 2], [7], 2)],
    "relation 0": [([0, 1], [6], 0)],
    "no triples": [],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("num_bases", [None, 2])
@pytest.mark.parametrize(("heads", "concat"), [(1, True), (3, True), (3, False)])
def test_equals_literal_loop(case: str, num_bases: int | None, heads: int, concat: bool) -> None:
    torch.manual_seed(0)
    conv = HGATConv(5, 4, num_relations=4, heads=heads, concat=concat, num_bases=num_bases).double()
    x = torch.randn(10, 5, dtype=torch.double)
    edge_index, edge_type = edges(CASES[case])
    shuffle = torch.randperm(edge_type.numel())
    out = conv(x, edge_index[:, shuffle], edge_type[shuffle])
    torch.testing.assert_close(out, literal(conv, x, CASES[case]), atol=1e-6, rtol=1e-6)


def test_tail_of_two_triples_within_relation() -> None:
    triples = [([0, 1], [6], 1), ([2, 3, 4], [6], 2)]
    conv = HGATConv(5, 4, num_relations=4, attention="within-relation").double()
    x = torch.randn(8, 5, dtype=torch.double)
    torch.testing.assert_close(conv(x, *edges(triples)), literal(conv, x, triples))
    across = HGATConv(5, 4, num_relations=4).double()
    _, (_, alpha) = across(x, *edges(triples), return_attention_weights=True)
    torch.testing.assert_close(alpha.sum(0), torch.ones(1, dtype=torch.double))


@pytest.mark.parametrize("num_bases", [None, 2])
def test_gradcheck(num_bases: int | None) -> None:
    conv = HGATConv(3, 2, num_relations=3, heads=2, num_bases=num_bases, bias=True).double()
    x = torch.randn(6, 3, dtype=torch.double, requires_grad=True)
    edge_index, edge_type = edges([([0, 1], [3, 4], 1), ([2], [5], 2)])
    names = [name for name, _ in conv.named_parameters()]

    def call(x: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(
            conv, dict(zip(names, values, strict=True)), (x, edge_index, edge_type)
        )

    assert torch.autograd.gradcheck(call, (x, *conv.parameters()))


def test_every_parameter_learns() -> None:
    # One head token alone gives a softmax over a single key, and attention that never learns.
    conv = HGATConv(4, 4, num_relations=2, num_bases=2, heads=2, bias=True)
    conv(torch.randn(6, 4), *edges([([0, 1], [3, 4], 1), ([1, 2], [5], 0)])).pow(2).sum().backward()
    for name, parameter in conv.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_permutation_equivariance() -> None:
    conv = HGATConv(4, 4, num_relations=4)
    x = torch.randn(10, 4)
    edge_index, edge_type = edges(CASES["shared head"])
    new_place = torch.randperm(10)
    permuted = torch.empty_like(x)
    permuted[new_place] = x
    out = conv(permuted, new_place[edge_index], edge_type)
    torch.testing.assert_close(out[new_place], conv(x, edge_index, edge_type))


def test_nodes_without_edges_are_kept() -> None:
    conv = HGATConv(4, 4, num_relations=4)
    out = conv(torch.randn(10, 4), *edges(CASES["one head token"]))
    assert out.shape == (10, 4)
    assert out[[0, 1, 2, 3, 4, 5, 9]].abs().sum() == 0
    assert out[[6, 7, 8]].abs().min() > 0


@pytest.mark.parametrize("num_bases", [None, 2])
def test_bipartite(num_bases: int | None) -> None:
    source, target = torch.randn(4, 3), torch.randn(2, 5)
    edge_index, edge_type = torch.tensor([[0, 3, 1], [0, 0, 1]]), torch.tensor([1, 1, 0])
    conv = HGATConv((3, 5), 6, num_relations=2, heads=2, num_bases=num_bases)
    assert conv((source, target), edge_index, edge_type).shape == (2, 12)
    # Equal sides: a pair of feature matrices is the same as one matrix.
    shared = HGATConv(3, 6, num_relations=4)
    x = torch.randn(10, 3)
    torch.testing.assert_close(
        shared((x, x), *edges(CASES["shared head"])), shared(x, *edges(CASES["shared head"]))
    )


@pytest.mark.parametrize("width", [-1, (-1, -1), (3, -1)])
def test_lazy_channels(width: int | tuple[int, int]) -> None:
    edge_index, edge_type = torch.tensor([[0, 1], [1, 0]]), torch.tensor([0, 1])
    x = torch.randn(3, 3)
    conv = HGATConv(width, 4, num_relations=2)
    unused = HGATConv(width, 4, num_relations=2)
    out = conv(x if width == -1 else (x, x), edge_index, edge_type)
    assert conv.in_channels == (3 if width == -1 else (3, 3))
    unused.load_state_dict(conv.state_dict())
    torch.testing.assert_close(unused(x if width == -1 else (x, x), edge_index, edge_type), out)
    assert "weight" not in HGATConv(-1, 4, num_relations=2).state_dict()


@pytest.mark.parametrize("kind", ["EdgeIndex", "coo", "csr", "csc", "SparseTensor"])
def test_every_form_of_edges(kind: str) -> None:
    if kind == "SparseTensor" and not WITH_TORCH_SPARSE:
        pytest.skip("torch-sparse is not installed")
    conv, x = HGATConv(4, 4, num_relations=4), torch.randn(10, 4)
    edge_index, edge_type = edges(CASES["overlapping heads"])
    expected = conv(x, edge_index, edge_type)
    if kind == "EdgeIndex":
        out = conv(x, EdgeIndex(edge_index, sparse_size=(10, 10)), edge_type)
    elif kind == "SparseTensor":
        out = conv(x, SparseTensor.from_edge_index(edge_index.flip(0), edge_type, (10, 10)))
    else:
        adj_t = torch.sparse_coo_tensor(edge_index.flip(0), edge_type, (10, 10))
        out = conv(x, {"coo": adj_t.coalesce, "csr": adj_t.to_sparse_csr, "csc": adj_t.to_sparse_csc}[kind]())
    torch.testing.assert_close(out, expected)


def test_two_relations_between_the_same_nodes_in_a_sparse_adjacency() -> None:
    conv, x = HGATConv(4, 4, num_relations=4), torch.randn(10, 4)
    edge_index, edge_type = edges([([0], [6], 1), ([0], [6], 2)])
    adj_t = torch.sparse_coo_tensor(edge_index.flip(0), edge_type, (10, 10))
    torch.testing.assert_close(conv(x, adj_t), conv(x, edge_index, edge_type))


def test_relations_that_are_missing() -> None:
    edge_index, edge_type = edges(CASES["shared head"])
    with pytest.raises(ValueError, match="no edge_type for num_relations=4"):
        HGATConv(4, 4, num_relations=4)(torch.randn(10, 4), edge_index)
    adj_t = torch.sparse_coo_tensor(edge_index.flip(0), edge_type, (10, 10))
    with pytest.raises(ValueError, match="target_to_source"):
        HGATConv(4, 4, num_relations=4, flow="target_to_source")(torch.randn(10, 4), adj_t)
    one = HGATConv(4, 4, num_relations=1)
    x = torch.randn(10, 4)
    torch.testing.assert_close(one(x, edge_index), one(x, edge_index, torch.zeros_like(edge_type)))


def test_in_hetero_conv() -> None:
    cites, wrote = ("paper", "cites", "paper"), ("author", "wrote", "paper")
    convs = {cites: HGATConv(-1, 8, num_relations=3), wrote: HGATConv((-1, -1), 8, num_relations=1)}
    model = HeteroConv(convs, aggr="sum")
    x = {"paper": torch.randn(5, 4), "author": torch.randn(3, 6)}
    edge_index = {cites: torch.tensor([[0, 1, 2], [1, 2, 2]]), wrote: torch.tensor([[0, 1, 2], [0, 0, 4]])}
    relation = {cites: torch.tensor([0, 2, 1])}
    out = model(x, edge_index, edge_type_dict=relation)
    expected = convs[cites](x["paper"], edge_index[cites], relation[cites])
    expected = expected + convs[wrote]((x["author"], x["paper"]), edge_index[wrote])
    torch.testing.assert_close(out["paper"], expected)


@pytest.mark.parametrize(
    ("num_bases", "attention"), [(None, "across-relation"), (2, "within-relation")]
)
def test_compiles_and_exports_whole(num_bases: int | None, attention: str) -> None:
    conv = HGATConv(4, 4, num_relations=4, heads=2, num_bases=num_bases, attention=attention)
    x, (edge_index, edge_type) = torch.randn(10, 4), edges(CASES["overlapping heads"])
    expected = conv(x, edge_index, edge_type)
    compiled = torch.compile(conv, fullgraph=True, backend="aot_eager")
    out = compiled(x, edge_index, edge_type)
    torch.testing.assert_close(out, expected)
    out.sum().backward()
    assert conv.weight.grad.abs().sum() > 0
    sizes = {"x": {0: Dim.AUTO}, "edge_index": {1: Dim.AUTO}, "edge_type": {0: Dim.AUTO}}
    program = torch.export.export(conv, (x, edge_index, edge_type), dynamic_shapes=sizes).module()
    torch.testing.assert_close(program(x, edge_index, edge_type), expected)
    x, (edge_index, edge_type) = torch.randn(12, 4), edges(CASES["shared head"])  # other sizes
    torch.testing.assert_close(program(x, edge_index, edge_type), conv(x, edge_index, edge_type))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 3e-2), (torch.float16, 4e-3)])
@pytest.mark.parametrize("num_bases", [None, 2])
def test_half_precision(dtype: torch.dtype, tolerance: float, num_bases: int | None) -> None:
    """Largest error relative to the largest output; bf16 keeps 8 bits of a number, fp16 keeps 11."""
    torch.manual_seed(0)
    conv, x = HGATConv(32, 32, num_relations=4, num_bases=num_bases), torch.randn(10, 32)
    edge_index, edge_type = edges(CASES["overlapping heads"])
    expected = conv(x, edge_index, edge_type)
    with torch.autocast("cpu", dtype):
        cast = conv(x, edge_index, edge_type)
    assert cast.dtype == torch.float32
    half = conv.to(dtype)(x.to(dtype), edge_index, edge_type)
    assert half.dtype == dtype
    for out in (cast, half.float()):
        assert (out - expected).abs().max() / expected.abs().max() < tolerance


def test_single_edge_and_no_nodes() -> None:
    conv = HGATConv(4, 4, num_relations=4)
    x = torch.randn(2, 4)
    out, (_, alpha) = conv(x, torch.tensor([[0], [1]]), torch.tensor([3]), return_attention_weights=True)
    assert alpha.tolist() == [[1.0]]
    torch.testing.assert_close(out, torch.stack((torch.zeros(4), x[0] @ conv.weight[3])))
    assert conv(x[:0], torch.empty(2, 0).long(), torch.empty(0).long()).shape == (0, 4)


def test_flow_can_be_turned() -> None:
    edge_index, edge_type = edges(CASES["shared head"])
    forward, backward = HGATConv(4, 4, 4), HGATConv(4, 4, 4, flow="target_to_source")
    backward.load_state_dict(forward.state_dict())
    x = torch.randn(10, 4)
    torch.testing.assert_close(backward(x, edge_index.flip(0), edge_type), forward(x, edge_index, edge_type))


def test_dropout_of_parameters_only_in_training() -> None:
    conv = HGATConv(4, 4, num_relations=4, dropout=0.5)
    x, (edge_index, edge_type) = torch.randn(10, 4), edges(CASES["shared head"])
    assert not torch.equal(conv(x, edge_index, edge_type), conv(x, edge_index, edge_type))
    conv.eval()
    assert torch.equal(conv(x, edge_index, edge_type), conv(x, edge_index, edge_type))


def test_reset_and_repr() -> None:
    conv = HGATConv(4, 8, num_relations=3, heads=2, num_bases=5)
    assert repr(conv) == "HGATConv(4, 8, num_relations=3, heads=2, num_bases=5)"
    before = {name: value.clone() for name, value in conv.named_parameters()}
    conv.reset_parameters()
    assert all(not torch.equal(before[name], value) for name, value in conv.named_parameters())
    with pytest.raises(ValueError, match="across-relation"):
        HGATConv(4, 4, 2, attention="none")


@pytest.mark.parametrize("algorithm", [GNNExplainer(epochs=3), AttentionExplainer()])
def test_explainers_work(algorithm: object) -> None:
    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = HGATConv(4, 2, num_relations=4, heads=2, concat=False)

        def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor) -> Tensor:
            return self.conv(x, edge_index, edge_type)

    explainer = Explainer(
        Classifier(),
        algorithm=algorithm,
        explanation_type="model",
        edge_mask_type="object",
        model_config={"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"},
    )
    edge_index, edge_type = edges(CASES["shared head"])
    explanation = explainer(torch.randn(10, 4), edge_index, edge_type=edge_type, index=6)
    assert explanation.edge_mask.shape == (edge_type.numel(),)
    assert explanation.edge_mask.abs().sum() > 0
