"""Our own source code, parsed once, for the tests of the house."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "femtodriver"


@dataclass(frozen=True)
class Import:
    """One imported module; ``names`` is empty for ``import module``."""

    module: str
    names: tuple[str, ...]
    line: int
    at_top: bool  # runs when the module is imported (not inside a function)
    checking: bool  # inside ``if TYPE_CHECKING``: never runs

    def targets(self, modules: Container[str]) -> set[str]:
        """Which of these modules of ours are imported, as paths below femtodriver."""
        top, _, path = self.module.partition(".")
        if top != "femtodriver":
            return set()
        named = {f"{path}.{name}".lstrip(".") for name in self.names} or {path}
        found = {name if name in modules else path for name in named}
        return {target for target in found if target in modules}


@dataclass(frozen=True)
class Source:
    """A module: its dotted path below femtodriver ("" for the package itself), text and tree."""

    module: str
    text: str
    tree: ast.Module
    is_package: bool = False

    @property
    def room(self) -> str:
        """First component of the path: the room of docs/architecture.md."""
        return self.module.split(".")[0]

    def walk(self) -> Iterator[tuple[ast.AST, bool, bool]]:
        """(node, at_top, checking) of every node of the tree; see Import for the two flags."""
        yield from _walk(self.tree, True, False)

    @property
    def imports(self) -> tuple[Import, ...]:
        """Every import, wherever it stands; relative ones are reported as module "." + name."""
        found: list[Import] = []
        for node, at_top, checking in self.walk():
            if isinstance(node, ast.Import):
                found += [Import(alias.name, (), node.lineno, at_top, checking) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                names = tuple(alias.name for alias in node.names)
                found.append(Import(module, names, node.lineno, at_top, checking))
        return tuple(found)


def _walk(node: ast.AST, at_top: bool, checking: bool) -> Iterator[tuple[ast.AST, bool, bool]]:
    yield node, at_top, checking
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        at_top = False
    guarded = list(node.body) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) else []
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, at_top, checking or child in guarded)


def parse(module: str, text: str) -> Source:
    """A Source from text; the tests of the checks themselves write theirs by hand."""
    return Source(module, text, ast.parse(text))


@cache
def sources() -> tuple[Source, ...]:
    """Every module of the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text("utf-8")
        found.append(Source(module, text, ast.parse(text), is_package=path.name == "__init__.py"))
    return tuple(found)
