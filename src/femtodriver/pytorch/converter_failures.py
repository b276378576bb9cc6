"""An error of fmot that we have no explanation for: its first meaningful line, its place, and a file with the rest."""

from __future__ import annotations

import ast
import re
from typing import Any

from femtodriver.pytorch.foreign_code import is_of_user, kept_text, place_of, raised, shown_place
from femtodriver.pytorch.forward_source import own_modules
from femtodriver.safe_text import short_line

_MOST = 200
_UNKNOWN = re.compile(r"patch_key=([\w.:]+) not supported")
_PLACES = (re.compile(r'File "([^"\n]+)", line (\d+)'), re.compile(r"# (\S+\.py):(\d+):\d+"))
# The names that TorchScript has for operators.
_OPERATORS: dict[str, type[ast.AST]] = {
    **dict.fromkeys(("gt", "lt", "ge", "le", "eq", "ne"), ast.Compare),
    "__getitem__": ast.Subscript,
    "slice": ast.Subscript,
    "select": ast.Subscript,
}


def converter_failure(error: BaseException, trace: str, doing: str, module: Any, where: str) -> str:
    """The sentence for what fmot raised. ``trace``: the whole text; ``doing``: the step that failed ("convert")."""
    text = str(error)
    unknown = _UNKNOWN.search(text)
    name = unknown[1].split("::")[-1].split(".")[-1] if unknown else ""
    place = (_place_of_name(module, name) if name else "") or _place_in(text) or place_of(error) or where
    said = f"it does not know {name}" if name else _first_line(error)
    return (
        f"{place}: fmot cannot {doing} this module: {said}. The whole text ({len(trace.splitlines())} lines) is "
        f"in {kept_text(type(module).__name__, trace)}."
    )


def _first_line(error: BaseException) -> str:
    """The first line that says something in words, rather than of a listing."""
    lines = [line.strip() for line in str(error).splitlines()]
    words = [line for line in lines if line and not line.startswith(("Node %", "graph(", "%", 'File "'))]
    if not words:
        return raised(error)
    return f"{type(error).__name__}: {short_line(words[0].rstrip('.:'), _MOST)}"


def _place_in(text: str) -> str:
    for pattern in _PLACES:
        for file, line in pattern.findall(text):
            if is_of_user(file):
                return shown_place(file, int(line))
    return ""


def _place_of_name(module: Any, name: str) -> str:
    """Where ``forward`` of one of the user's classes says this name, or the operator that it stands for."""
    for one in own_modules(module):
        for node in ast.walk(one.method("forward") or ast.Module([], [])):
            named = isinstance(node, ast.Attribute) and node.attr == name
            named = named or (isinstance(node, ast.Name) and node.id == name)
            if named or (name in _OPERATORS and isinstance(node, _OPERATORS[name])):
                return one.place(node)
    return ""
