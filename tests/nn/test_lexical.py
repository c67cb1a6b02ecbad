from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from graphmer_geo.data.fake import FAKE, fake_batch
from graphmer_geo.nn import LexicalMatch, Names, QueryContext, TokenSalience


def make() -> tuple[LexicalMatch, TokenSalience, QueryContext, Tensor, Names]:
    torch.manual_seed(0)
    batch = fake_batch(5)
    tok, states = batch["tok"], torch.randn(batch["tok"].numel(), 16)
    place = (batch[key] for key in ("tok", "slot", "batch", "ptr", "edge_index"))
    context = QueryContext(batch["rank_index"], batch["rank_rel"], states, *place)
    module, salience = LexicalMatch(16, FAKE.num_relations, 8), TokenSalience(FAKE.vocab_size)
    for parameter in (*module.parameters(), *salience.parameters()):
        torch.nn.init.normal_(parameter, std=0.2)
    salience.spelling.copy_(torch.arange(FAKE.vocab_size) // 2 * 2)  # pairs of tokens are spellings of one
    salience.separator[::11] = True
    salience.opens_word[1::3] = True
    salience.ends_word[::5] = True
    # Random names are hardly ever written in random chunks: copy some pieces of the chunks.
    pieces = [tok[k : k + size] for k, size in ((3, 1), (5, 2), (9, 3), (40, 2), (60, 1))]
    pieces += [torch.tensor([11, int(tok[k]), int(tok[k + 1])]) for k in (7, 30)] + [tok[2:12]]
    flat = torch.cat((batch["cand_tok"], *pieces))
    lengths = torch.tensor([len(piece) for piece in pieces])
    ptr = torch.cat((batch["cand_ptr"], batch["cand_ptr"][-1] + lengths.cumsum(0)))
    names = Names(flat, ptr, torch.zeros(ptr.numel() - 1).long())
    return module, salience, context, torch.randn(context.node.numel(), 16), names


def mentions(
    salience: TokenSalience,
    context: QueryContext,
    nodes: Tensor,
    heads: Tensor,
    name: Tensor,
    *,
    inside: bool = False,
) -> list[int]:
    """Roots outside (or inside) the head from which on the last component of a name is written."""
    dots = [k + 1 for k in range(len(name) - 1) if salience.separator[name[k]]]
    wanted = salience.spelling[name[max(dots, default=0) :]].tolist()
    roots = nodes[context.slot[nodes] < 0].tolist()
    tok = context.tok

    def joined(u: int) -> bool:
        return (
            u in roots
            and u - 1 in roots
            and bool(salience.ends_word[tok[u - 1]] & salience.opens_word[tok[u]])
        )

    found = []
    for u in roots:
        run = range(u, u + len(wanted))
        if all(joined(v) for v in run[1:]) and salience.spelling[tok[list(run)]].tolist() == wanted:
            if not joined(u) and not joined(run[-1] + 1) and (u in heads.tolist()) == inside:
                found.append(u)
    return found


def slow(
    module: LexicalMatch, salience: TokenSalience, context: QueryContext, query: Tensor, names: Names
) -> Tensor:
    """The formulas, one query and one candidate at a time."""
    scores, seen = torch.zeros(query.size(0), names.ptr.numel() - 1), 0
    for q, node in enumerate(context.node.tolist()):
        nodes = (context.batch == context.batch[node]).nonzero().flatten()
        logits = module.pointer_key(context.states[nodes]) @ module.pointer_query(query[q]) / math.sqrt(8)
        pi = logits.softmax(0)
        spelt = salience.spelling[context.tok[nodes]]
        heads = context.edge_index[0][context.edge_index[1] == node]
        head = salience.spelling[context.tok[heads]]
        chunk = spelt[context.slot[nodes] < 0]
        for c in range(scores.size(1)):
            name = salience.spelling[names.tok[names.ptr[c] : names.ptr[c + 1]]]
            s = salience.of(name)
            in_head = s[torch.isin(name, head)].sum() / (s.sum() * salience.of(head).sum()).sqrt()
            in_chunk = s[torch.isin(name, chunk)].sum() / s.sum()
            mass = sum(s[k] / s.sum() * pi[spelt == t].sum() for k, t in enumerate(name))
            tokens = names.tok[names.ptr[c] : names.ptr[c + 1]]
            places = mentions(salience, context, nodes, heads, tokens)
            same = mentions(salience, context, nodes, heads, tokens, inside=True)
            pointed = (sum(pi[nodes == u].sum() for u in places) + torch.tensor(0.01)).log()
            written = torch.tensor(float(bool(places)))
            seen += len(places)
            named = torch.tensor(float(bool(same)))
            overlaps = (in_head, in_chunk, in_chunk**2, (mass + 0.01).log())
            features = torch.stack((*overlaps, written, pointed, named))
            weight = (
                module.weight
                + module.relation_weight[context.relation[q]]
                + module.query_weight(query[q]) / 4
            )
            scores[q, c] = 10 * weight @ features
    assert seen
    return scores


def test_equals_formulas() -> None:
    arguments = make()
    module, salience, context, query, names = arguments
    found = module(context, query, names, salience(names), salience)
    torch.testing.assert_close(found, slow(*arguments), atol=1e-5, rtol=1e-5)


def test_gradients_equal_those_of_the_formulas() -> None:
    arguments = make()
    module, salience, context, query, names = arguments
    parameters = [*module.parameters(), *salience.parameters()]
    weight = torch.randn(query.size(0), names.ptr.numel() - 1)
    fast = torch.autograd.grad(
        (weight * module(context, query, names, salience(names), salience)).sum(), parameters
    )
    for found, expected in zip(
        fast, torch.autograd.grad((weight * slow(*arguments)).sum(), parameters), strict=True
    ):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_candidates_do_not_depend_on_each_other() -> None:
    module, salience, context, query, names = make()
    whole = module(context, query, names, salience(names), salience)
    part = names.part(10, 30)
    torch.testing.assert_close(module(context, query, part, salience(part), salience), whole[:, 10:30])


def test_ranks_a_copied_name_first_untrained() -> None:
    module, salience, context, query, _ = make()
    module.reset_parameters()
    salience.reset_parameters()
    graph = context.batch[context.node[0]]
    written = context.tok[(context.batch == graph) & (context.slot < 0)][3:4]
    other = torch.tensor(
        [t for t in range(10, 200) if not torch.isin(torch.tensor(t) // 2, context.tok // 2)][:1]
    )
    names = Names(torch.cat((other, written)), torch.tensor([0, 1, 2]), torch.zeros(2).long())
    scores = module(context, query, names, salience(names), salience)
    assert scores[0, 1] > scores[0, 0] + 3


@pytest.mark.parametrize("empty", ["queries", "candidates"])
def test_nothing_to_score(empty: str) -> None:
    module, salience, context, query, names = make()
    if empty == "queries":
        context, query = context._replace(node=context.node[:0], relation=context.relation[:0]), query[:0]
    else:
        names = names.part(0, 0)
    scores = module(context, query, names, salience(names), salience)
    assert scores.shape == (query.size(0), names.ptr.numel() - 1)
