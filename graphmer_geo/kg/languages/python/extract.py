"""One Python file: bytes -> facts."""

from __future__ import annotations

from tree_sitter import Node, Range, Tree

from graphmer_geo.kg.facts import Entity, FileFacts, ParseProblem, SourceFile
from graphmer_geo.kg.languages import get_parser
from graphmer_geo.kg.languages.python.imports import Imports
from graphmer_geo.kg.languages.python.scopes import Scope
from graphmer_geo.kg.languages.python.text import declared_encoding, join_lines, parser_bytes

MAX_PROBLEMS = 20  #: syntax errors listed per file


class Extractor(Imports):
    """Runs the compilers over one module."""

    def __init__(self, file: SourceFile, source: bytes, encoding: str, parsed: bytes) -> None:
        super().__init__(file, source, encoding)
        self.parsed = parsed

    def parse_part(self, span: Range) -> Tree:
        """Parse one range of the file on its own, positions unchanged."""
        return get_parser("python", [span]).parse(self.parsed)

    def run(self) -> FileFacts:
        """Extract the facts."""
        tree = get_parser("python").parse(self.parsed)
        root = tree.root_node
        if root.has_error:
            joined = join_lines(self.parsed)
            again = get_parser("python").parse(joined)
            if not again.root_node.has_error:
                self.parsed, tree, root = joined, again, again.root_node
        syntax = self.syntax
        path = self.file.path.split("/")
        syntax.is_package = path[-1].startswith("__init__.")
        syntax.namespace = ".".join(path[:-1])
        self.entities.append(self.module_entity(root))
        if root.has_error:
            self.errors(root)
        self.docstring(root, self.entities[0].literals)
        self.module = self.scope = Scope("module", None, 0, 0)
        self.block(root)
        self.close(self.module)
        while self.later:
            self.later.popleft()()
        module = self.module
        for name in module.versions:
            if name not in module.current:  # bound only where control does not go on
                module.current[name] = self.merged(module, name)
        syntax.exports = {k: v for k, v in module.current.items() if "." not in k and "[" not in k}
        if self.import_texts:
            self.entities[0].literals["importText"] = list(self.import_texts)
        self.prune()
        syntax.variables = self.new()
        return FileFacts(self.file, self.entities, syntax, self.problems)

    def module_entity(self, root: Node) -> Entity:
        """The entity of the file itself."""
        module = self.file.module
        entity = Entity(
            kind="Module",
            name=module.rpartition(".")[2],
            descriptor="",
            qualified_name=module,
            parent=-1,
            start=0,
            end=len(self.source),
            name_start=0,
            name_end=0,
            start_line=1,
            end_line=max(1, self.source.count(b"\n") + (not self.source.endswith(b"\n"))),
        )
        if self.syntax.is_package:
            entity.literals["isPackage"] = True
        return entity

    def errors(self, root: Node) -> None:
        """List syntax errors."""
        stack = [root]
        while stack and len(self.problems) < MAX_PROBLEMS:
            node = stack.pop()
            if node.is_missing:
                self.problem(node, f"syntax error: missing {node.type}")
            elif node.type == "ERROR":
                text = " ".join(self.text(node).split())
                self.problem(node, f"syntax error near {text[:40]!r}")
            elif node.has_error:
                stack.extend(reversed(node.children))

    def prune(self) -> None:
        """Drop reads of plain local names and of receivers: they are no entities."""
        declared, unbound, receivers = self.declared, self.syntax.globals_read, self.syntax.receivers
        self.syntax.sites = [
            site
            for site in self.sites
            if site.base
            or site.role != "read"
            or ((site.variable in declared or site.variable in unbound) and site.variable not in receivers)
        ]


def extract(file: SourceFile, source: bytes) -> FileFacts:
    """Parse one file; total: broken code gives partial facts and a list of problems."""
    encoding, *messages = declared_encoding(source)
    parsed, message = parser_bytes(source, encoding)
    extractor = Extractor(file, source, encoding, parsed)
    extractor.problems += [ParseProblem(1, m) for m in (*messages, message) if m]
    return extractor.run()
