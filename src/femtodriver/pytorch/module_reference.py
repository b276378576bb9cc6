"""How a PyTorch module is known: as users name it, ``my_model.py:build``, or by its class, without loading torch."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from femtodriver.errors import ModelError, UsageError
from femtodriver.files.file_access import read_file, shown_path

Say = Callable[[str], None]
"""Is told what a conversion does."""
MOST_BYTES = 1 << 24
USUAL_NAMES = ("build", "model")
"""Names that say nothing: the model is called as its file then."""
_MOST_SHOWN = 5
_FORM = re.compile(r"(?P<file>.+\.py)(?::(?P<name>.*))?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class ModuleReference:
    """``file``: of Python; ``name``: of a function or class without arguments, or of a module object, in it."""

    file: Path
    name: str

    @property
    def where(self) -> str:
        """As users wrote it, for messages."""
        return f"{shown_path(self.file)}:{self.name}"

    @property
    def model_name(self) -> str:
        """What the model is called if nobody says otherwise."""
        return self.file.stem if self.name in USUAL_NAMES else self.name


def names_python(model: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether the argument names a file of Python, with or without what is meant in it."""
    return isinstance(model, (str, os.PathLike)) and _FORM.fullmatch(os.fsdecode(model)) is not None


def module_reference(model: str | os.PathLike[str]) -> ModuleReference:
    """The reference in a text for which ``names_python`` holds.

    UsageError where the name is missing or is none of Python, with names that the file offers.
    """
    found = _FORM.fullmatch(os.fsdecode(model))
    file, name = (Path(found["file"]), found["name"]) if found else (Path(os.fsdecode(model)), None)
    if name is None or not name.isidentifier():
        given = "a file alone" if name is None else f"the name {name!r:.60}"
        offered = ", ".join(f"{shown_path(file)}:{one}" for one in offered_names(file)[:_MOST_SHOWN])
        raise UsageError(
            f"{shown_path(file)}: a PyTorch module must be given as FILE.py:NAME, a function without arguments that "
            f"builds it, not {given}. {f'Try {offered}.' if offered else f'Write {shown_path(file)}:build.'}"
        )
    return ModuleReference(file, name)


def is_module(model: object) -> bool:
    """Whether it is a module of PyTorch; torch is not loaded to find out."""
    return is_module_class(type(model))


def is_module_class(kind: object) -> bool:
    """Whether it is a class of modules."""
    names = [(one.__module__, one.__name__) for one in kind.__mro__] if isinstance(kind, type) else []
    return ("torch.nn.modules.module", "Module") in names


def source_bytes(file: Path) -> bytes:
    """What is in the file. ModelError where it cannot be read."""
    return read_file(file, MOST_BYTES, ModelError)


def offered_names(file: Path) -> list[str]:
    """Functions and classes of a file that can be called without arguments; it is parsed, not run."""
    try:
        tree = ast.parse(source_bytes(file))
    except (SyntaxError, ValueError):
        return []
    found = list(_callables(tree))
    return sorted(found, key=lambda name: name not in USUAL_NAMES)


def _callables(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _needs_nothing(node.args, 0):
            yield node.name
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.bases and _is_module(node):
            yield node.name


def _is_module(node: ast.ClassDef) -> bool:
    starts = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
    return "Module" in ast.unparse(node.bases[0]) and all(_needs_nothing(one.args, 1) for one in starts)


def _needs_nothing(arguments: ast.arguments, bound: int) -> bool:
    by_place = [*arguments.posonlyargs, *arguments.args]
    named = [default for default in arguments.kw_defaults if default is None]
    return len(by_place) - bound <= len(arguments.defaults) and not named
