"""Do the tests notice when the code is wrong? Changes one expression at a time and runs the tests of its room.

    python tools/mutants.py machine/memory.py                every mutant of one module
    python tools/mutants.py program/femto --count 40         40 drawn from a room, the same 40 for the same --seed

Modules are mutated in a copy, the working tree stays as it is. A mutant is noticed when a test fails, or when the tests
take much longer than without it (an endless loop). Those that survive are printed: each is either a missing test, or a
change that makes no difference, which is for the reader to judge. Slow tests and tests of other rooms are not run, so a
survivor may still be noticed by them; --tests says which to run instead.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "femtodriver"
NOTICED, HUNG, SURVIVED = "noticed", "hung", "survived"
PATIENCE = 3.0  # times the undisturbed run
START_S = 20.0  # for a machine that is busy just then

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True)
class Mutant:
    """One changed expression: ``text`` is the whole module with ``after`` in place of ``before``."""

    path: Path
    line: int
    before: str
    after: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"


def mutants(path: Path) -> list[Mutant]:
    """Every mutant of a module, from top to bottom."""
    text = path.read_text("utf-8")
    found = []
    for node in running(ast.parse(text)):
        for place, after in changes(node):
            before = ast.get_source_segment(text, place) or ""
            found.append(Mutant(path, place.lineno, one_line(before), one_line(after), spliced(text, place, after)))
    return found


def running(tree: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """All nodes that run, but for the words of errors: no annotations, no imports for the type checker."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or isinstance(node, (ast.Raise, ast.JoinedStr)):
                continue
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                continue
            if isinstance(node, (ast.expr, ast.stmt)):
                yield node
            yield from running(node)


def changes(node: ast.expr | ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Mistakes that could have been made at a node: what is replaced, and by which text."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            other = [*node.ops[:index], COMPARISONS[type(operator)](), *node.ops[index + 1 :]]
            yield node, written(ast.Compare(node.left, other, node.comparators))
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield node, written(ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right))
    elif isinstance(node, ast.BoolOp):
        yield node, written(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node, written(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield node, repr(not node.value if isinstance(node.value, bool) else node.value + 1)
    elif isinstance(node, ast.IfExp):
        yield node, written(ast.IfExp(node.test, node.orelse, node.body))
    elif isinstance(node, (ast.If, ast.While)) and isinstance(node.test, (ast.Name, ast.Attribute, ast.Call)):
        yield node.test, written(ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield node, "pass"


def written(node: ast.expr) -> str:
    """As text that means the same in every place."""
    return f"({ast.unparse(node)})"


def spliced(text: str, place: ast.expr | ast.stmt, after: str) -> str:
    """The module with other text in place of a node; columns of the tree count bytes."""
    lines = text.encode("utf-8").splitlines(keepends=True)
    last, column = place.end_lineno or place.lineno, place.end_col_offset or 0
    start = sum(map(len, lines[: place.lineno - 1])) + place.col_offset
    end = sum(map(len, lines[: last - 1])) + column
    whole = b"".join(lines)
    return (whole[:start] + after.encode("utf-8") + whole[end:]).decode("utf-8")


def one_line(text: str) -> str:
    return " ".join(text.split())


def modules(where: str) -> list[Path]:
    """The modules that a path below the package names: a room, a folder or a file."""
    path = PACKAGE / where
    if path.is_dir():
        return sorted(path.rglob("*.py"))
    path = path.with_suffix(".py")
    if not path.is_file():
        raise SystemExit(f"{where}: must be a room, folder or module below {PACKAGE.relative_to(ROOT)}.")
    return [path]


def tests_of(module: Path) -> list[list[str]]:
    """The tests in the order in which they are asked: files named after the module, its folder, its room."""
    inside = module.relative_to(PACKAGE)
    room, tests = ROOT / "tests" / inside.parts[0], f"test_{module.stem}*.py"
    if inside.parent == Path():
        groups = [[str(path) for path in sorted(room.parent.glob(tests))]]
    else:
        named = [str(path) for path in sorted(room.rglob(tests))]
        groups = [named, *([str(place)] for place in (room.joinpath(*inside.parts[1:-1]), room) if place.is_dir())]
    found = [group for index, group in enumerate(groups) if group and group not in groups[:index]]
    if not found:
        raise SystemExit(f"{inside}: has no tests in {room.relative_to(ROOT)}; name some with --tests.")
    return found


class Laboratory:
    """Runs tests against a copy of the package."""

    def __init__(self, folder: Path, tests: Sequence[str]) -> None:
        self.folder = folder
        self.tests = list(tests)
        self.seconds: dict[str, float] = {}
        shutil.copytree(PACKAGE, folder / "femtodriver", ignore=shutil.ignore_patterns("__pycache__"))

    def judge(self, mutant: Mutant) -> str:
        """NOTICED, HUNG or SURVIVED."""
        groups = [self.tests] if self.tests else tests_of(mutant.path)
        limits = [START_S + PATIENCE * self.undisturbed(group) for group in groups]
        copied = self.folder / "femtodriver" / mutant.path.relative_to(PACKAGE)
        copied.write_text(mutant.text, "utf-8")
        try:
            failed = any(self.run(group, limit).returncode for group, limit in zip(groups, limits, strict=True))
        except subprocess.TimeoutExpired:
            return HUNG
        finally:
            shutil.copyfile(mutant.path, copied)
        return NOTICED if failed else SURVIVED

    def undisturbed(self, tests: Sequence[str]) -> float:
        """How many seconds the tests take without any change; then they must pass."""
        key = " ".join(tests)
        if key not in self.seconds:
            start = time.monotonic()
            done = self.run(tests, None)
            if done.returncode:
                raise SystemExit(f"{done.stdout}\nwithout any change the tests must pass: {key}")
            self.seconds[key] = time.monotonic() - start
        return self.seconds[key]

    def run(self, tests: Sequence[str], limit: float | None) -> subprocess.CompletedProcess[str]:
        """Pytest, up to the first failure. Raises TimeoutExpired."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [*command, "-p", "no:randomly", *tests],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )


def chosen(found: list[Mutant], count: int | None, seed: int) -> list[Mutant]:
    """So many of them, in their order; all by default."""
    if count is None or count >= len(found):
        return found
    picked = random.Random(seed).sample(range(len(found)), count)
    return [found[index] for index in sorted(picked)]


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 however many survive: whether that is bad is for people to say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("where", metavar="WHERE", help="a room, folder or module, as machine or program/femto/pages.py")
    parser.add_argument("--count", type=int, help="how many mutants, drawn at random (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default 0)")
    parser.add_argument("--tests", nargs="+", default=[], help="test files or folders (default: those of the room)")
    options = parser.parse_args(arguments)
    found = [mutant for path in modules(options.where) for mutant in mutants(path)]
    tried = chosen(found, options.count, options.seed)
    print(f"{options.where}: {len(tried)} of {len(found)} mutants", flush=True)
    table: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        laboratory = Laboratory(Path(folder), options.tests)
        for mutant in tried:
            verdict = laboratory.judge(mutant)
            table[verdict] += 1
            if verdict == SURVIVED:
                print(mutant, flush=True)
    print(", ".join(f"{table[verdict]} {verdict}" for verdict in (NOTICED, HUNG, SURVIVED)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
