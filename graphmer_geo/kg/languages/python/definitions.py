"""Functions, classes, lambdas and their parameters."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from tree_sitter import Node

from graphmer_geo.kg.languages.python.annotations import Annotations
from graphmer_geo.kg.languages.python.ir import ClassInfo, FunctionInfo, Op, Param
from graphmer_geo.kg.languages.python.scopes import Scope
from graphmer_geo.kg.languages.python.text import string_value

_PROPERTIES = {"property", "cached_property", "abstractproperty", "setter", "getter", "deleter"}
_ABSTRACT = {"abstractmethod", "abstractproperty", "abstractclassmethod", "abstractstaticmethod"}
_BINDINGS = {
    **dict.fromkeys(_PROPERTIES, "property"),
    **dict.fromkeys(("staticmethod", "abstractstaticmethod"), "static"),
    **dict.fromkeys(("classmethod", "abstractclassmethod"), "class"),
}
_TRANSPARENT = {*_BINDINGS, *_ABSTRACT, "overload", "override", "final"}
_IMPLICIT_CLASS = ("__init_subclass__", "__class_getitem__")
MAX_TEXT = 5_000  #: characters kept of a default or a signature: all of any that people write

_COLLECTING = {"varPositional": "tuple", "varKeyword": "dict"}  #: what such a parameter holds


class Definitions(Annotations):
    """Compiles definitions."""

    def disambiguated(self, scope: Scope, name: str, space: str) -> str:
        """``name`` with a ``(+n)`` if the scope defined it before."""
        key = space + name
        count = scope.counts.get(key, 0)
        scope.counts[key] = count + 1
        return f"{name}(+{count})" if count else name

    def definition_scope(self) -> Scope:
        """The scope that owns definitions made here (a comprehension owns none)."""
        scope = self.scope
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        return scope

    # -- functions ---------------------------------------------------------------------------------

    def function(self, node: Node, span: Node, decorators: list[Node]) -> None:
        """Declare a function or method; its body is compiled when its scope is complete."""
        name_node, parameters = node.child_by_field_name("name"), node.child_by_field_name("parameters")
        body = node.child_by_field_name("body")
        if name_node is None or not name_node.end_byte > name_node.start_byte:
            self.children(node)
            return
        name = self.text(name_node)
        scope = self.definition_scope()
        in_class = scope.kind == "class"
        kind = "Function" if not in_class else "Constructor" if name in ("__init__", "__new__") else "Method"
        unique = self.disambiguated(scope, name, "f:")
        suffix = unique + ("." if unique.endswith(")") else "().")
        entity = self.add_entity(kind, name, suffix, scope.entity, span, name_node)
        marks = [self.mark(decorator) for decorator in decorators]
        info = FunctionInfo(entity, name, scope.klass if in_class else -1)
        info.binding = next((_BINDINGS[m] for m in marks if m in _BINDINGS), "function")
        if in_class and info.binding == "function":
            if name == "__new__":
                info.binding = "static"
            elif name in _IMPLICIT_CLASS:
                info.binding = "class"
        info.returned, info.yielded = self.new(), self.new()
        self.function_literals(node, entity, info, marks, in_class)
        self.syntax.functions.append(info)
        index = len(self.syntax.functions) - 1
        values = self.decorator_values(decorators, marks, entity)
        if parameters is not None:
            self.parameters(parameters, info)
        result = node.child_by_field_name("return_type")
        if result is not None:
            info.returns_type = self.annotation(result, entity)
        value = self.new()
        self.emit(Op.FUNC, value, index)
        value = self.decorate(value, values)
        if in_class:
            self.syntax.classes[scope.klass].methods[name] = index
            if info.params and (info.binding in ("function", "class", "property") or name == "__new__"):
                self.syntax.receivers[info.params[0].variable] = scope.klass
        self.bind(name, value, (entity,))
        if body is not None:
            self.later.append(
                partial(self.function_body, info, body, Scope("function", self.scope, entity, entity))
            )

    def function_literals(
        self, node: Node, entity: int, info: FunctionInfo, marks: list[str], method: bool
    ) -> None:
        """Flags, signature and docstring."""
        literals = self.entities[entity].literals
        if node.children and node.children[0].type == "async":
            literals["isAsync"] = True
        if info.binding == "static":
            literals["isStatic"] = True
        elif info.binding == "class":
            literals["isClassMethod"] = True
        elif info.binding == "property":
            literals["isProperty"] = True
        if not _ABSTRACT.isdisjoint(marks):
            literals["isAbstract"] = True
        if "overload" in marks:
            literals["isOverload"] = True
        if method:
            self.visibility(entity)
        self.signature(node, literals)
        self.docstring(node.child_by_field_name("body"), literals)

    def visibility(self, entity: int) -> None:
        """Leading underscores, by convention."""
        name = self.entities[entity].name
        if name.startswith("_") and not (name.startswith("__") and name.endswith("__")):
            self.entities[entity].literals["visibility"] = "private" if name.startswith("__") else "protected"

    def signature(self, node: Node, literals: dict[str, Any]) -> None:
        """Parameters and result as written."""
        parameters, result = node.child_by_field_name("parameters"), node.child_by_field_name("return_type")
        text = self.listed(parameters) if parameters is not None else "()"
        if result is not None:
            text += " -> " + self.text(result)
        literals["signature"] = text[:MAX_TEXT]

    def listed(self, node: Node) -> str:
        """A list in parentheses as written, but for comments and line breaks between its items."""
        text = self.text(node)
        if "\n" not in text and "\r" not in text:
            return text
        items = [self.text(child) for child in node.named_children if child.type != "comment"]
        return f"({', '.join(items)})"

    def docstring(self, body: Node | None, literals: dict[str, Any]) -> None:
        """The docstring, cleaned as :func:`inspect.getdoc` does."""
        first = (
            next((c for c in body.named_children if c.type != "comment"), None) if body is not None else None
        )
        if first is None or first.type != "expression_statement" or first.named_child_count != 1:
            return
        literal = first.named_children[0]
        if literal.type not in ("string", "concatenated_string"):
            return
        written = [literal] if literal.type == "string" else literal.named_children
        parts = [string_value(self.text(part)) for part in written if part.type != "comment"]
        if None not in parts:
            literals["docstring"] = inspect.cleandoc("".join(part or "" for part in parts))

    def function_body(self, info: FunctionInfo, body: Node, scope: Scope) -> None:
        """Compile a body in a scope of its own."""
        scope.function = info
        self.scope = scope
        for param in info.params:
            scope.current[param.name] = param.variable
            scope.versions[param.name] = [param.variable]
        if body.type == "block":
            self.block(body)
            if not scope.dead:
                self.flow(info.returned, self.of_type("types.NoneType"))
        else:  # the expression of a lambda
            self.result(self.expr(body), info)
        self.close(scope)
        if info.is_generator:
            self.entities[info.entity].literals["isGenerator"] = True

    def result(self, value: int, info: FunctionInfo) -> None:
        """A function returns ``value``; a parameter that is returned as it is stays apart for each call."""
        for index, param in enumerate(info.params):
            if param.variable == value and param.kind in ("positionalOnly", "positionalOrKeyword"):
                if index not in info.passed:
                    info.passed += (index,)
                return
        self.flow(info.returned, value)

    def block(self, body: Node) -> None:
        """Compile statements; see :class:`Statements`."""
        raise NotImplementedError

    def lambda_(self, node: Node) -> int:
        """Declare a lambda."""
        scope = self.definition_scope()
        scope.lambdas += 1
        name = f"<lambda{scope.lambdas}>"
        entity = self.add_entity("Lambda", name, name + "().", scope.entity, node, None)
        info = FunctionInfo(entity, name, -1)
        info.returned, info.yielded = self.new(), self.new()
        self.syntax.functions.append(info)
        value = self.new()
        self.emit(Op.FUNC, value, len(self.syntax.functions) - 1)
        parameters, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
        if parameters is not None:
            self.parameters(parameters, info)
        if body is not None:
            self.later.append(
                partial(self.function_body, info, body, Scope("function", self.scope, entity, entity))
            )
        return value

    # -- parameters --------------------------------------------------------------------------------

    def parameters(self, node: Node, info: FunctionInfo) -> None:
        """Declare the parameters of a function."""
        kind = "positionalOrKeyword"
        seen: dict[str, int] = {}
        for child in node.named_children:
            shape = child.type
            if shape == "positional_separator":
                info.params = [p._replace(kind="positionalOnly") for p in info.params]
                for param in info.params:
                    self.entities[param.entity].literals["parameterKind"] = "positionalOnly"
            elif shape == "keyword_separator":
                kind = "keywordOnly"
            elif shape != "comment":
                this = self.parameter(child, info, kind, seen)
                kind = "keywordOnly" if this == "varPositional" else kind

    def parameter(self, node: Node, info: FunctionInfo, kind: str, seen: dict[str, int]) -> str:
        """Declare one parameter; gives its kind."""
        name_node: Node | None = node
        type_node: Node | None = None
        default: Node | None = None
        shape = node.type
        if shape != "identifier":
            type_node, default = node.child_by_field_name("type"), node.child_by_field_name("value")
        if shape in ("default_parameter", "typed_default_parameter"):
            name_node = node.child_by_field_name("name")
        elif shape == "typed_parameter":
            name_node = node.named_children[0] if node.named_children else None
        if name_node is not None and name_node.type in ("list_splat_pattern", "dictionary_splat_pattern"):
            kind = "varPositional" if name_node.type == "list_splat_pattern" else "varKeyword"
            name_node = name_node.named_children[0] if name_node.named_children else None
        if name_node is None or name_node.type != "identifier":
            if name_node is not None and name_node.type == "tuple_pattern":  # Python 2
                self.problem(node, "tuple parameter: skipped")
            return kind
        name = self.text(name_node)
        count = seen.get(name, 0)
        seen[name] = count + 1
        suffix = f"({name})" if not count else f"({name}(+{count}))"
        entity = self.add_entity("Parameter", name, suffix, info.entity, node, name_node)
        literals = self.entities[entity].literals
        literals["parameterIndex"] = len(info.params)
        literals["parameterKind"] = kind
        variable = self.new()
        self.declared[variable] = (entity,)
        value = 0
        if default is not None:
            literals["hasDefault"] = True
            literals["defaultText"] = self.text(default)[:MAX_TEXT]
            value = self.value(default)
        info.params.append(Param(name, kind, variable, value, entity))
        if type_node is not None:
            if kind in _COLLECTING:
                self.annotate_elements(type_node, entity, variable, _COLLECTING[kind])
            else:
                self.annotate(type_node, entity, variable)
        return kind

    # -- decorators --------------------------------------------------------------------------------

    def mark(self, decorator: Node) -> str:
        """The last name of a decorator: ``abc.abstractmethod`` -> ``abstractmethod``."""
        node = decorator.named_children[0] if decorator.named_children else None
        if node is None or node.type not in ("identifier", "attribute"):
            return ""
        return self.text(node).rpartition(".")[2]

    def decorator_values(self, decorators: list[Node], marks: list[str], entity: int) -> list[int]:
        """Compile decorators; gives the variables of those that may replace what they decorate."""
        values = []
        for decorator, mark in zip(decorators, marks, strict=True):
            node = next((c for c in decorator.named_children if c.type != "comment"), None)
            while (
                node is not None and node.type == "parenthesized_expression" and node.named_child_count == 1
            ):
                node = node.named_children[0]
            if node is None:
                continue
            value = self.decorator(node, entity)
            if value and mark not in _TRANSPARENT:
                values.append(value)
        return values

    def decorator(self, node: Node, entity: int) -> int:
        """Compile one decorator; it gets one occurrence, at its last name if it has one."""
        is_call = node.type == "call"
        before = len(self.sites)
        value = self.expr(node) if is_call else self.reference(node, "read")
        callee = node.child_by_field_name("function") if is_call else node
        last = callee
        if callee is not None and callee.type == "attribute":
            last = callee.child_by_field_name("attribute")
        if last is None or last.type != "identifier":
            self.site(node, "decorator", value, subject=entity)
            return value
        for index in range(before, len(self.sites)):
            site = self.sites[index]
            if site.start == last.start_byte and site.end == last.end_byte:
                decorating = site._replace(role="decorator", subject=entity)
                if is_call:
                    self.sites.append(decorating)
                else:
                    self.sites[index] = decorating
                break
        return value

    def decorate(self, value: int, decorators: list[int]) -> int:
        """The value after all decorators."""
        for decorator in reversed(decorators):
            result = self.new()
            self.emit(Op.DECORATE, result, decorator, value, self.scope.caller)
            value = result
        return value

    # -- classes -----------------------------------------------------------------------------------

    def klass(self, node: Node, span: Node, decorators: list[Node]) -> None:
        """Declare a class; its body runs at once."""
        name_node, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name_node is None or not name_node.end_byte > name_node.start_byte:
            self.children(node)
            return
        name = self.text(name_node)
        scope = self.definition_scope()
        suffix = self.disambiguated(scope, name, "c:") + "#"
        entity = self.add_entity("Class", name, suffix, scope.entity, span, name_node)
        literals = self.entities[entity].literals
        self.docstring(body, literals)
        values = self.decorator_values(decorators, [self.mark(d) for d in decorators], entity)
        superclasses = node.child_by_field_name("superclasses")
        if superclasses is not None and superclasses.named_child_count:
            literals["signature"] = self.listed(superclasses)[:MAX_TEXT]
        bases, metaclass = self.bases(superclasses, entity)
        info = ClassInfo(entity, tuple(bases), metaclass)
        self.syntax.classes.append(info)
        index = len(self.syntax.classes) - 1
        if body is not None:
            outer = self.scope
            self.scope = inner = Scope("class", outer, entity, outer.caller, index, None)
            self.block(body)
            self.scope = outer
            info.attributes = {k: v for k, v in inner.current.items() if "." not in k and "[" not in k}
        value = self.new()
        self.emit(Op.CLASS, value, index)
        self.bind(name, self.decorate(value, values), (entity,))

    def bases(self, node: Node | None, entity: int) -> tuple[list[int], int]:
        """Compile the argument list of a class."""
        bases: list[int] = []
        metaclass = 0
        for child in node.named_children if node is not None else ():
            if child.type == "keyword_argument":
                name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                variable = self.expr(value)
                if name is not None and self.text(name) == "metaclass":
                    metaclass = variable
                    if value is not None and self.text(value).endswith("ABCMeta"):
                        self.entities[entity].literals["isAbstract"] = True
            elif child.type in ("identifier", "attribute"):
                bases.append(self.based(child, entity))
            elif child.type == "subscript" and child.named_children[0].type in ("identifier", "attribute"):
                bases.append(self.based(child.named_children[0], entity))
                for argument in child.named_children[1:]:
                    self.annotation(argument, entity, "type")
            elif child.type != "comment":
                bases.append(self.expr(child))
        return bases, metaclass

    def based(self, node: Node, entity: int) -> int:
        """One base class."""
        if self.text(node).rpartition(".")[2] == "ABC":
            self.entities[entity].literals["isAbstract"] = True
        variable = self.reference(node, "base")
        self.sites[-1] = self.sites[-1]._replace(subject=entity)
        return variable


Annotations.handlers["lambda"] = Definitions.lambda_  # type: ignore[assignment]
