"""Syntax errors of a parse tree."""

from __future__ import annotations

from tree_sitter import Node

from graphmer_geo.kg.facts import ParseProblem

_MOST = 50


def problems_of(root: Node) -> list[ParseProblem]:
    """The first errors of a tree, in the order of the text."""
    problems: list[ParseProblem] = []
    stack = [root]
    while stack and len(problems) < _MOST:
        node = stack.pop()
        line = node.start_point[0] + 1
        if node.is_missing:
            problems.append(ParseProblem(line, f"missing {node.type}"))
        elif node.is_error:
            excerpt = (node.text or b"")[:40].decode("utf-8", "replace").split("\n")[0]
            problems.append(ParseProblem(line, f"syntax error at {excerpt!r}"))
        elif node.has_error:
            stack.extend(reversed(node.children))
    return problems
