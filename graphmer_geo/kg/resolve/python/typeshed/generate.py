"""Write returns.txt: what the standard library's functions and attributes give, from typeshed's stubs.

Run: python graphmer_geo/kg/resolve/python/typeshed/generate.py TYPESHED/stdlib

The stubs come with mypy (``site-packages/mypy/typeshed/stdlib``), under Apache-2.0 and MIT licences.
They are parsed, not imported. Only plain types are kept: no type variables, no protocols, no ``Any``.
"""

from __future__ import annotations

import ast
import builtins
import sys
from dataclasses import dataclass, field
from pathlib import Path

OUT = Path(__file__).with_name("returns.txt")
_ABSTRACT = ("typing.", "typing_extensions.", "_typeshed.", "collections.abc.", "types.GenericAlias")
_ALIASES = {"LiteralString": "builtins.str", "Self": "."}
_PROTOCOL = ("__enter__", "__aenter__", "__next__", "__anext__", "__getitem__", "__call__", "__new__")
MAX_UNION = 3  #: alternatives of one result


@dataclass
class Holder:
    """A module or class: what it inherits or re-exports, and the types of its members."""

    bases: list[str] = field(default_factory=list)
    members: dict[str, list[str] | None] = field(default_factory=dict)  # None: nothing plain
    attributes: set[str] = field(default_factory=set)  # members that are read, not called
    is_module: bool = False


class Stub:
    """One stub file."""

    def __init__(self, module: str, is_package: bool, tree: ast.Module) -> None:
        self.module = module
        self.package = module if is_package else module.rpartition(".")[0]
        self.names: dict[str, str] = {}
        self.holders: dict[str, Holder] = {module: Holder(is_module=True)}
        self.declare(tree.body)
        self.collect(tree.body, module)

    def declare(self, body: list[ast.stmt]) -> None:
        """Note what each name of the module stands for."""
        for node in statements(body):
            if isinstance(node, ast.ClassDef):
                self.names[node.name] = f"{self.module}.{node.name}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    self.names[alias.asname or alias.name] = alias.name
            elif isinstance(node, ast.ImportFrom):
                source = self.source(node)
                for alias in node.names:
                    if alias.name == "*":
                        self.holders[self.module].bases.append(source)
                    else:
                        self.names[alias.asname or alias.name] = f"{source}.{alias.name}"

    def source(self, node: ast.ImportFrom) -> str:
        """The absolute name of the module of a ``from`` import."""
        package = self.package.split(".")
        head = package[: len(package) - node.level + 1] if node.level else []
        return ".".join([*head, *([node.module] if node.module else [])])

    def collect(self, body: list[ast.stmt], owner: str) -> None:
        """Note the types of the members of a module or class."""
        holder = self.holders[owner]
        for node in statements(body):
            if isinstance(node, ast.ClassDef):
                inner = self.holders.setdefault(f"{owner}.{node.name}", Holder())
                inner.bases += [
                    b for base in node.bases for b in self.types(base) or () if b != "builtins.object"
                ]
                self.collect(node.body, f"{owner}.{node.name}")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.add(holder, node.name, node.returns)
                if any(ast.unparse(d).endswith("property") for d in node.decorator_list):
                    holder.attributes.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                self.add(holder, node.target.id, node.annotation)
                holder.attributes.add(node.target.id)

    def add(self, holder: Holder, name: str, annotation: ast.expr | None) -> None:
        """One member; overloads add up."""
        found = self.types(annotation) if annotation is not None else None
        have = holder.members.get(name, [])
        if have is None or found is None:
            holder.members[name] = None
        else:
            holder.members[name] = list(dict.fromkeys([*have, *found]))

    def types(self, node: ast.expr) -> list[str] | None:
        """The plain types that an annotation allows; None if it allows others."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return self.types(ast.parse(node.value, mode="eval").body)
            return ["types.NoneType"] if node.value is None else None
        if isinstance(node, ast.BinOp):
            left, right = self.types(node.left), self.types(node.right)
            return [*left, *right] if left is not None and right is not None else None
        if isinstance(node, ast.Subscript):
            return self.types(node.value)
        name = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
        head, dot, rest = name.partition(".")
        if name in _ALIASES:
            return [_ALIASES[name]]
        if head in self.names:
            whole = self.names[head] + dot + rest
        elif isinstance(getattr(builtins, name, None), type):
            whole = f"builtins.{name}"
        else:
            return None
        return None if whole.startswith(_ABSTRACT) else [whole]


def statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a body, with those under ``if`` (versions and platforms)."""
    found: list[ast.stmt] = []
    for node in body:
        found += statements(node.body + node.orelse) if isinstance(node, ast.If) else [node]
    return found


def read(folder: Path) -> dict[str, Holder]:
    """The holders of all stubs."""
    holders: dict[str, Holder] = {}
    for path in sorted(folder.rglob("*.pyi")):
        parts = list(path.relative_to(folder).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        stub = Stub(module, is_package, ast.parse(path.read_text(encoding="utf-8")))
        holders |= stub.holders
        for name, target in stub.names.items():  # re-exported functions and classes
            if not target.startswith((f"{module}.", *_ABSTRACT)) and not name.startswith("_"):
                holders[module].members.setdefault(name, [f"@{target}"])
    return holders


def lines(holders: dict[str, Holder]) -> list[str]:
    """One line a holder: module or class, name, bases, ``function=types`` and ``attribute:types``.

    ``builtins.int`` is written ``int``, ``types.NoneType`` ``None``; ``.`` is the class itself.
    """
    found = []
    for name, holder in sorted(holders.items()):
        members = [
            member + (":" if member in holder.attributes else "=") + "|".join(map(short, types))
            for member, types in sorted(holder.members.items())
            if types
            and len(types) <= MAX_UNION
            and known(types, holders)
            and (not member.startswith("__") or member in _PROTOCOL)
        ]
        bases = [base for base in holder.bases if base in holders]
        if members or bases:
            sort = "module" if holder.is_module else "class"
            found.append("\t".join((sort, name, " ".join(bases), " ".join(members))))
    return found


def short(name: str) -> str:
    """The abbreviation of a type."""
    return "None" if name == "types.NoneType" else name.removeprefix("builtins.")


def known(types: list[str], holders: dict[str, Holder]) -> bool:
    """Whether a type or re-export is one that the stubs define, and no alias or type variable."""
    for name in types:
        owner, _, last = name.removeprefix("@").rpartition(".")
        is_member = name.startswith("@") and owner in holders and last in holders[owner].members
        if name not in (".", "types.NoneType") and name.removeprefix("@") not in holders and not is_member:
            return False
    return True


if __name__ == "__main__":
    OUT.write_text("\n".join(lines(read(Path(sys.argv[1])))) + "\n", encoding="utf-8")
