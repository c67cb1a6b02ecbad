"""Import statements."""

from __future__ import annotations

from tree_sitter import Node

from graphmer_geo.kg.languages.python.ir import Binding, ImportSite, Op
from graphmer_geo.kg.languages.python.statements import Statements


class Imports(Statements):
    """Compiles imports."""

    def import_(self, node: Node) -> None:
        """``import a.b``, ``import a.b as c``."""
        for child in node.children_by_field_name("name"):
            alias = child.child_by_field_name("alias")
            name = child.child_by_field_name("name") if child.type == "aliased_import" else child
            if name is None or not name.named_children:
                continue
            module = self.text(name).replace(" ", "")
            index = self.add_binding(Binding(module, None, False), name.named_children[-1])
            self.written(f"import {module}", alias)
            if alias is not None:
                self.bind_import(self.text(alias), index)
            elif "." in module:
                self.syntax.imports.append(Binding(module, None, True))
                self.bind_import(module.partition(".")[0], len(self.syntax.imports) - 1)
            else:
                self.bind_import(module, index)

    def import_from(self, node: Node) -> None:
        """``from a import b as c``, ``from . import x``, ``from m import *``."""
        source = node.child_by_field_name("module_name")
        written = "__future__" if source is None else "".join(self.text(source).split())
        if node.type == "future_import_statement":
            module = "__future__"
        elif source is None:
            return
        else:
            module = (
                self.absolute(self.text(source)) if source.type == "relative_import" else self.text(source)
            )
        module = module.replace(" ", "")
        for child in node.named_children:
            if child.type == "wildcard_import":
                self.syntax.stars.append(module)
                self.written(f"from {written} import *", None)
                self.add_binding(Binding(module, None, False), source or child)
        for child in node.children_by_field_name("name"):
            alias = child.child_by_field_name("alias")
            name = child.child_by_field_name("name") if child.type == "aliased_import" else child
            if name is not None and name.named_children:
                imported = self.text(name)
                self.written(f"from {written} import {imported}", alias)
                index = self.add_binding(Binding(module, imported, False), name.named_children[-1])
                self.bind_import(self.text(alias) if alias is not None else imported, index)

    def written(self, text: str, alias: Node | None) -> None:
        """Note an import as written, one imported name each."""
        self.import_texts[f"{text} as {self.text(alias)}" if alias is not None else text] = None

    def add_binding(self, binding: Binding, node: Node) -> int:
        """Note an imported name."""
        self.syntax.imports.append(binding)
        index = len(self.syntax.imports) - 1
        place = (node.start_byte, node.end_byte, self.line(node))
        self.syntax.import_sites.append(ImportSite(*place, index, self.text(node)))
        return index

    def bind_import(self, name: str, index: int) -> None:
        """Bind a local name to an import."""
        value = self.new()
        self.emit(Op.IMPORT, value, index)
        self.bind(name, value, (-1 - index,))

    def absolute(self, written: str) -> str:
        """``..x`` in module ``a.b.c`` is ``a.x``; one dot is the module's own package."""
        dots = len(written) - len(written.lstrip(". \t"))
        level = written[:dots].count(".")
        package = self.file.module.split(".")
        if not self.syntax.is_package:
            level += 1
        package = package[: max(0, len(package) - level + 1)] if level > 1 else package
        rest = written[dots:].strip()
        return ".".join([*package, rest] if rest else package)


Statements.statements.update(
    {
        "import_statement": Imports.import_,  # type: ignore[dict-item]
        "import_from_statement": Imports.import_from,  # type: ignore[dict-item]
        "future_import_statement": Imports.import_from,  # type: ignore[dict-item]
    }
)
