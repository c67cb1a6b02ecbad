from __future__ import annotations

import pytest
import torch
from torch import Tensor

from graphmer_geo.data.fake import FAKE, FakeConfig, fake_batch
from graphmer_geo.nn import ChainStructure, GraphAttentionBias, LeafyChainEncoder, leafy_chain_distance
from graphmer_geo.nn.flex import BLOCK, block_mask

PLACE = ("root", "group", "slot", "batch")
EDGES = ("edge_index", "edge_rel")
HEADS = 2

pytestmark = pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")


@pytest.fixture(scope="module")
def batch() -> dict[str, Tensor]:
    """Five graphs over several blocks of the mask."""
    made = fake_batch(5, FakeConfig(roots=(5, 120)))
    assert made["tok"].numel() > 2 * BLOCK
    return made


def make_bias(decay: str, leaf_edges: str = "star") -> GraphAttentionBias:
    torch.manual_seed(0)
    module = GraphAttentionBias(HEADS, FAKE.num_relations, decay, leaf_edges=leaf_edges)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
    return module


@pytest.mark.parametrize("leaf_edges", ["star", "path"])
@pytest.mark.parametrize("decay", ["additive", "multiplicative", "none"])
def test_scores_and_gradients_equal_the_dense_bias(
    batch: dict[str, Tensor], decay: str, leaf_edges: str
) -> None:
    # torch has no gradients of FlexAttention on CPU, so the function it would call is called on all pairs.
    module = make_bias(decay, leaf_edges)
    nodes = batch["tok"].numel()
    inside = batch["batch"].unsqueeze(0) == batch["batch"].unsqueeze(1)
    score = torch.randn(HEADS, nodes, nodes)

    h, i = torch.arange(HEADS)[:, None, None], torch.arange(nodes)
    change = module.flex(ChainStructure.of(batch)).score_mod
    found = change(score, 0, h, i[:, None], i[None, :])

    place = (batch[key].unsqueeze(0) for key in PLACE[:3])
    bias, factor = module(*place, torch.ones(1, nodes, dtype=torch.bool), *(batch[key] for key in EDGES))
    wanted = (score if factor is None else score * factor[:, 0]) + bias[:, 0]

    torch.testing.assert_close(found[:, inside], wanted[:, inside])
    weight = torch.randn_like(score) * inside
    for ours, theirs in zip(
        *(torch.autograd.grad((s * weight).sum(), list(module.parameters())) for s in (found, wanted)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(
    ("decay", "autocast"), [("additive", False), ("multiplicative", False), ("additive", True)]
)
@torch.no_grad()
def test_encoder_equals_the_dense_one(batch: dict[str, Tensor], decay: str, autocast: bool) -> None:
    torch.manual_seed(0)
    encoder = LeafyChainEncoder(32, 2, HEADS, 64, FAKE.num_relations, decay=decay, leaf_edges="path").eval()
    for parameter in encoder.bias.parameters():
        parameter.normal_()
    arguments = torch.randn(batch["tok"].numel(), 32), ChainStructure.of(batch)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        dense = encoder(*arguments)
        encoder.kernel = "flex"
        tolerance = 0.05 if autocast else 1e-5
        torch.testing.assert_close(encoder(*arguments), dense, atol=tolerance, rtol=tolerance)


def test_blocks_of_the_mask_cover_every_pair_of_a_graph(batch: dict[str, Tensor]) -> None:
    mask = block_mask(batch["batch"], torch.bincount(batch["batch"]))
    covered = mask.to_dense()[0, 0].bool()
    inside = batch["batch"].unsqueeze(0) == batch["batch"].unsqueeze(1)
    i, j = inside.nonzero().unbind(1)
    needed = torch.zeros_like(covered).index_put((i // BLOCK, j // BLOCK), torch.tensor(True))
    assert torch.equal(covered, needed)


def test_distances_are_those_of_the_closed_form(batch: dict[str, Tensor]) -> None:
    module = make_bias("additive")
    bias = module.flex(ChainStructure(*(batch[key] for key in PLACE)))
    first = (batch["batch"] == 0).nonzero().squeeze(1)
    found = bias.score_mod(torch.tensor(0.0), 0, torch.tensor(0), first[:, None], first[None, :])
    distance = leafy_chain_distance(*(batch[key][first] for key in PLACE[:3]))
    torch.testing.assert_close(found, module.decay(int(distance.max()))[0][distance])


def test_dropout_of_weights_is_refused(batch: dict[str, Tensor]) -> None:
    encoder = LeafyChainEncoder(8, 1, HEADS, 8, attention_dropout=0.1, kernel="flex")
    with pytest.raises(ValueError, match=r"got 0\.1"):
        encoder(torch.randn(batch["tok"].numel(), 8), ChainStructure.of(batch))
    with pytest.raises(ValueError, match="'sparse'"):
        LeafyChainEncoder(8, 1, HEADS, 8, kernel="sparse")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_gradients_on_cuda_equal_the_dense_ones(batch: dict[str, Tensor]) -> None:
    encoder = LeafyChainEncoder(64, 2, HEADS, 64, FAKE.num_relations, dropout=0.0).cuda()
    there = {key: value.cuda() for key, value in batch.items()}
    arguments = torch.randn(batch["tok"].numel(), 64).cuda(), ChainStructure.of(there)
    grads = []
    for kernel in ("dense", "flex"):
        encoder.kernel = kernel
        grads.append(torch.autograd.grad(encoder(*arguments).pow(2).sum(), list(encoder.parameters())))
    for dense, flex in zip(*grads, strict=True):
        torch.testing.assert_close(flex, dense, atol=1e-2, rtol=1e-2)
