"""What our source code must not contain."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from tests.house.source_code import Source, parse, sources

BROAD = {"Exception", "BaseException"}


def broad_except(node: ast.AST, at_top: bool) -> str | None:
    if not isinstance(node, ast.ExceptHandler):
        return None
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    names = {"everything" if kind is None else ast.unparse(kind).split(".")[-1] for kind in kinds}
    return "catch the errors you expect, by name" if names & (BROAD | {"everything"}) else None


def assertion(node: ast.AST, at_top: bool) -> str | None:
    return "raise an error of errors.py instead of assert" if isinstance(node, ast.Assert) else None


def star_import(node: ast.AST, at_top: bool) -> str | None:
    star = isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    return "import names, not *" if star else None


FORBIDDEN_CALLS = {
    "logging.basicConfig": "leave logging to the application",
    "eval": "never execute text",
    "exec": "never execute text",
    "pickle.load": "read pickles only through the restricted reader",
    "pickle.loads": "read pickles only through the restricted reader",
    "yaml.unsafe_load": "use yaml.safe_load",
    "yaml.full_load": "use yaml.safe_load",
    "os.system": "use subprocess with a list",
}


def forbidden_call(node: ast.AST, at_top: bool) -> str | None:
    return FORBIDDEN_CALLS.get(ast.unparse(node.func)) if isinstance(node, ast.Call) else None


def import_side_effect(node: ast.AST, at_top: bool) -> str | None:
    """Output, configuration from the environment or randomness while a module is being imported."""
    if not at_top or not isinstance(node, (ast.Call, ast.Subscript)):
        return None
    text = ast.unparse(node)
    starts = ("print(", "os.environ", "os.getenv(", "np.random.", "random.", "warnings.filterwarnings(")
    return "no effects at import" if text.startswith(starts) else None


def hidden_finding(text: str) -> list[str]:
    """Broad suppressions: they hide more than the one finding that was meant."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        comment = line.partition("#")[2].strip()
        if comment in ("noqa", "type: ignore") or comment.startswith(("ruff: noqa", "mypy: ignore-errors")):
            found.append(f"{number}: name the finding to suppress, as in 'noqa: E501'")
    return found


RULES: tuple[Callable[[ast.AST, bool], str | None], ...] = (
    broad_except,
    assertion,
    star_import,
    forbidden_call,
    import_side_effect,
)


def faults(source: Source) -> list[str]:
    found = [f"{source.module}:{fault}" for fault in hidden_finding(source.text)]
    if "utils" in source.module.split("."):
        found.append(f"{source.module}: name a module after what it holds, not utils")
    for node, at_top, _ in source.walk():
        for rule in RULES:
            message = rule(node, at_top)
            if message:
                found.append(f"{source.module}:{getattr(node, 'lineno', 0)}: {message}")
    return found


def test_the_package_keeps_the_rules() -> None:
    assert len(sources()) > 100
    assert [fault for source in sources() for fault in faults(source)] == []


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    x\nexcept:\n    pass",
        "try:\n    x\nexcept Exception:\n    pass",
        "try:\n    x\nexcept (OSError, builtins.BaseException) as error:\n    pass",
        "def f(x):\n    assert x",
        "from os import *",
        "import logging\nlogging.basicConfig()",
        "def f(x):\n    return eval(x)",
        "def f(x):\n    return pickle.loads(x)",
        "print('hello')",
        "HOME = os.environ['HOME']",
        "import os  # noqa",
        "x = 1  # type: ignore",
    ],
)
def test_the_rules_can_fail(text: str) -> None:
    assert len(faults(parse("fqir.a", text))) >= 1


def test_no_module_is_called_utils() -> None:
    assert faults(parse("fqir.utils", "")) == ["fqir.utils: name a module after what it holds, not utils"]


def test_the_rules_accept_what_is_right() -> None:
    text = "try:\n    x = y\nexcept (OSError, ValueError):\n    z = 1  # noqa: E501\n"
    text += "def f():\n    print(os.environ['A'])"
    assert faults(parse("fqir.a", text)) == []
