"""One name, one thing: no class and no file of the package shares its name with another."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.house.source_code import sources

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "femtodriver"
# Names that many folders may use: Python itself gives them a meaning.
OF_PYTHON = {"__init__", "__main__"}

Named = tuple[str, str]
"""A name, and the module in which it stands."""


def repeated(names: Iterable[Named]) -> dict[str, list[str]]:
    """Names that are in more than one place."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, place in names:
        found[name].append(place)
    return {name: places for name, places in sorted(found.items()) if len(places) > 1}


def classes(module: str, tree: ast.Module) -> list[Named]:
    """Every class of a module, wherever it is in it."""
    return [(node.name, module) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def array_types(module: str, tree: ast.Module) -> list[Named]:
    """Every ``npt.NDArray[...]`` of a module."""
    found = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    return [(text, module) for text in found if text.startswith("npt.NDArray[")]


def files() -> list[Named]:
    paths = [path for path in PACKAGE.rglob("*.py") if path.stem not in OF_PYTHON]
    return [(path.stem, str(path.parent.relative_to(PACKAGE))) for path in paths]


def test_no_class_name_means_two_things() -> None:
    assert repeated(entry for source in sources() for entry in classes(source.module, source.tree)) == {}


def test_no_file_name_stands_twice() -> None:
    assert repeated(files()) == {}


def test_array_types_that_two_modules_need_stand_in_arrays() -> None:
    found = {entry for source in sources() for entry in array_types(source.module, source.tree)}
    assert sum(module == "arrays" for _, module in found) > 3
    assert repeated(found) == {}


@pytest.mark.parametrize("text", ["class A: ...", "def f():\n    class A: ...", "if x:\n    class A(B): ..."])
def test_a_repeated_class_is_noticed(text: str) -> None:
    found = [*classes("fqir.one", ast.parse("class A: ...")), *classes("isa.two", ast.parse(text))]
    assert repeated(found) == {"A": ["fqir.one", "isa.two"]}


def test_an_array_type_is_noticed() -> None:
    tree = ast.parse("Values = npt.NDArray[np.int64]\ndef f(x: npt.NDArray[np.int8]) -> None: ...")
    assert {kind for kind, _ in array_types("fqir.one", tree)} == {"npt.NDArray[np.int64]", "npt.NDArray[np.int8]"}
