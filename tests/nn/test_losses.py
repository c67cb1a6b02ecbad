from __future__ import annotations

import math

import torch

from graphmer_geo.nn import sampled_softmax_loss, token_loss


def test_token_loss_is_a_mean() -> None:
    logits = torch.zeros(3, 8)
    torch.testing.assert_close(token_loss(logits, torch.tensor([0, 1, 2])), torch.tensor(math.log(8)))


def test_no_targets_give_zero_gradients_not_none() -> None:
    weight = torch.randn(4, 8, requires_grad=True)
    loss = token_loss(torch.empty(0, 4) @ weight, torch.empty(0).long())
    loss = loss + sampled_softmax_loss(torch.empty(0, 4) @ weight, torch.empty(0).long())
    loss.backward()
    assert loss == 0
    assert weight.grad.abs().sum() == 0


def test_sampled_softmax_by_hand() -> None:
    scores, log_q = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([0.5, 0.25, 0.25]).log()
    allowed = torch.tensor([[True, False, False]])
    loss = sampled_softmax_loss(scores, torch.tensor([2]), log_q, allowed)  # the target is kept all the same
    first, third = math.exp(1 - math.log(0.5)), math.exp(3 - math.log(0.25))
    torch.testing.assert_close(loss, torch.tensor(-math.log(third / (first + third))))


def test_log_q_undoes_the_drawing() -> None:
    # Candidate c drawn n_c times has log q = log n_c: the denominator is then that of the full softmax.
    scores, times = torch.randn(1, 4), torch.tensor([1, 5, 2, 9])
    drawn = torch.repeat_interleave(torch.arange(4), times)
    full = torch.logsumexp(scores[0], 0) - scores[0, 2]
    target = torch.tensor([6])  # the first copy of candidate 2
    sampled = sampled_softmax_loss(scores[:, drawn], target, times[drawn].log())
    torch.testing.assert_close(sampled, full + math.log(2))


def test_gradients_in_float64_and_whole_graphs() -> None:
    torch.manual_seed(0)
    scores = torch.randn(3, 5, dtype=torch.double, requires_grad=True)
    target, log_q = torch.tensor([0, 4, 2]), torch.rand(5, dtype=torch.double).log()
    allowed = torch.rand(3, 5) < 0.7

    def ranked(values: torch.Tensor) -> torch.Tensor:
        return sampled_softmax_loss(values, target, log_q, allowed)

    for loss in (ranked, lambda values: token_loss(values, target)):
        assert torch.autograd.gradcheck(loss, (scores,))
        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(scores), loss(scores))
    assert token_loss(scores.detach().bfloat16(), target).dtype == torch.float32
