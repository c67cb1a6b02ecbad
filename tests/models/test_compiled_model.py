"""The whole model is one graph for the compiler, whatever the sizes of batches."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo import config as dynamo
from torch.export import Dim, export

from graphmer_geo.data.fake import fake_batch
from graphmer_geo.models import GraphMER
from tests.models.test_graphmer import tiny

STRUCTURE = ("tok", "root", "group", "slot", "batch", "edge_index", "edge_rel", "place_mask")


def loss_and_gradients(model: nn.Module, batch: dict[str, Tensor]) -> list[Tensor]:
    loss = model(batch).loss
    return [loss, *torch.autograd.grad(loss, list(model.parameters()))]


def compare(model: GraphMER, backend: str) -> None:
    """Loss and gradients of batches of three sizes, of which only the first may be compiled.

    In the first, graphs are as many as nothing else (the compiler takes equal sizes for one), and no size
    is 0 or 1, which it compiles apart.
    """
    torch.compiler.reset()
    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend=backend)
    for number, size in enumerate((8, 4, 7)):
        batch = fake_batch(size, seed=number, mnm_prob=0.9)
        with dynamo.patch(error_on_recompile=number > 0):
            found = loss_and_gradients(compiled, batch)
        for ours, expected in zip(found, loss_and_gradients(model, batch), strict=True):
            torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-4)


def test_the_model_compiles_whole_and_once() -> None:
    compare(tiny(num_layers=1, ranking=False, dropout=0.0, relation_dropout=0.0), "eager")


@pytest.mark.slow
def test_ranking_too_where_counts_of_names_may_be_symbols() -> None:
    model = tiny(num_layers=1, dropout=0.0, relation_dropout=0.0)
    with dynamo.patch(capture_dynamic_output_shape_ops=True, capture_scalar_outputs=True):
        compare(model, "eager")


class States(nn.Module):
    """States of all nodes."""

    def __init__(self, model: GraphMER) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.model.encode(batch)


def test_the_encoder_with_its_embedding_exports_for_batches_of_any_size() -> None:
    model = tiny(num_layers=1, hgat_every=1).eval()
    first, other = ({key: fake_batch(n, seed=n)[key] for key in STRUCTURE} for n in (3, 5))
    sizes = {key: dict.fromkeys(range(value.dim()), Dim.AUTO) for key, value in first.items()}
    sizes["edge_index"] = {1: Dim.AUTO}
    program = export(States(model), (first,), dynamic_shapes=(sizes,)).module()
    for batch in (first, other):
        torch.testing.assert_close(program(batch), model.encode(batch), atol=1e-5, rtol=1e-5)



@pytest.mark.compiler
def test_inductor_gives_the_same() -> None:
    compare(tiny(num_layers=1, ranking=False, dropout=0.0, relation_dropout=0.0), "inductor")
