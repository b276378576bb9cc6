"""The source of the modules of a model that are the user's own, parsed: what ``forward`` says, and on which line."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from femtodriver.pytorch.foreign_code import shown_place

_TOOLS = ("torch.", "fmot.")


@dataclass(frozen=True, eq=False)
class OwnModule:
    """``module``: the instance; ``path``: where it is in the model; ``tree``: its class, None where the source is in no
    file; ``file`` and ``first``: of the class, lines counted from 1.
    """

    module: Any
    path: str
    tree: ast.ClassDef | None
    file: str
    first: int

    @property
    def name(self) -> str:
        """Of its class."""
        return type(self.module).__name__

    @property
    def globals(self) -> Mapping[str, Any]:
        """What ``forward`` sees beside its own names."""
        found: Mapping[str, Any] = getattr(type(self.module).forward, "__globals__", {})
        return found

    def method(self, name: str) -> ast.FunctionDef | None:
        """A method that the class itself defines."""
        body = self.tree.body if self.tree is not None else ()
        return next((node for node in body if isinstance(node, ast.FunctionDef) and node.name == name), None)

    def place(self, node: ast.AST | None = None) -> str:
        """Where a node of the tree is, or the class."""
        line = self.first + (getattr(node, "lineno", 1) - 1 if node is not None else 0)
        return shown_place(self.file, line)


def own_modules(model: Any) -> list[OwnModule]:
    """The modules of a model whose class is the user's, each class once, the model itself first."""
    found: dict[type, OwnModule] = {}
    for path, module in model.named_modules():
        kind = type(module)
        if kind not in found and not kind.__module__.startswith(_TOOLS):
            found[kind] = _parsed(module, path)
    return list(found.values())


def _parsed(module: Any, path: str) -> OwnModule:
    kind = type(module)
    tree, file, first = _source_of(kind)
    if isinstance(tree, ast.ClassDef):
        return OwnModule(module, path, tree, file, first)
    tree, file, first = _source_of(kind.forward)  # all that Python finds of a class in a notebook
    if isinstance(tree, ast.FunctionDef):
        alone = ast.ClassDef(kind.__name__, bases=[], keywords=[], body=[tree], decorator_list=[])
        return OwnModule(module, path, alone, file, first)
    return OwnModule(module, path, None, "", 0)


def _source_of(what: Any) -> tuple[ast.stmt | None, str, int]:
    """The first statement of a source, its file and line; None where there is no source."""
    try:
        lines, first = inspect.getsourcelines(what)
        return ast.parse(textwrap.dedent("".join(lines))).body[0], inspect.getsourcefile(what) or "", first
    except (OSError, TypeError, SyntaxError, IndexError):
        return None, "", 0


def calls_of(tree: ast.AST) -> Iterator[tuple[ast.Call, str, ast.expr | None]]:
    """Every call with the last part of what it calls, and what stands before that: ``x.mean`` gives mean and x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr, node.func.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node, node.func.id, None


def starts_with_self(node: ast.expr | None) -> bool:
    """Whether an expression is ``self``, or something of it."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return isinstance(node, ast.Name) and node.id == "self"
