"""Modules import each other in one direction, and at their top.

An import inside a function can hide a circle. It is allowed where start-up needs it: in the command line and in the
exports of a package, which load what was asked for, and where ``LATE`` has a reason.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

import pytest

from tests.house.source_code import Source, parse, sources

Graph = Mapping[str, set[str]]

# (module, module that it imports inside a function): why it is not imported at the top.
LATE = {
    ("driver.facade", "driver.evaluate_model"): "the room of evaluations is 21 modules that only ``evaluate`` needs",
    ("driver.facade", "sweep.whole_sweep"): "the same of sweeps",
    ("job.whole_job", "output.profile_output"): "texts and files of profiles, where somebody asks for one",
    ("job.whole_job", "output.quantization_output"): "the same of quantization reports",
    ("model.load_model", "pytorch.convert_model"): "14 modules of conversion, for models that are PyTorch modules",
    ("output.told_files", "output.report_file"): "the page of a run, where somebody asks for it",
    ("output.told_files", "output.trace_file"): "timelines, where somebody asks for one",
}


def lazy_imports(source: Source, modules: Container[str]) -> set[tuple[str, str]]:
    """(module, module of ours that it imports inside a function)."""
    return {
        (source.module, target)
        for record in source.imports
        if not record.at_top and not record.checking
        for target in record.targets(modules)
    }


def may_import_late(source: Source) -> bool:
    return source.room in ("cli", "__main__") or source.is_package


def import_graph(found: Iterable[Source]) -> Graph:
    """All imports, wherever they stand, without those of packages that only export."""
    modules = {source.module for source in found if not source.is_package}
    return {
        source.module: {target for record in source.imports for target in record.targets(modules)}
        for source in found
        if source.module in modules
    }


def reachable(graph: Graph, start: str) -> set[str]:
    """Modules that are imported by ``start``, directly or not."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for target in graph[waiting.pop()] - seen:
            seen.add(target)
            waiting.append(target)
    return seen


def circles(graph: Graph) -> set[frozenset[str]]:
    """Groups of modules that import each other."""
    below = {module: reachable(graph, module) for module in graph}
    return {
        frozenset(other for other in below[module] if module in below[other])
        for module in graph
        if module in below[module]
    }


def test_no_modules_import_each_other() -> None:
    assert circles(import_graph(sources())) == set()


def test_imports_stand_at_the_top() -> None:
    modules = {source.module for source in sources()}
    found = {entry for source in sources() if not may_import_late(source) for entry in lazy_imports(source, modules)}
    assert found == set(LATE), "move it to the top, or say in LATE why it cannot stand there"


@pytest.mark.parametrize(
    "text",
    [
        "from femtodriver.room import b",
        "import femtodriver.room.b",
        "def f():\n    from femtodriver.room.b import x",
        "if TYPE_CHECKING:\n    from femtodriver.room.b import x",
    ],
)
def test_a_circle_is_found(text: str) -> None:
    found = (parse("room.a", text), parse("room.b", "from femtodriver.room.c import x"), parse("room.c", ""))
    assert circles(import_graph(found)) == set()
    found = (*found[:2], parse("room.c", "from femtodriver.room.a import x"))
    assert circles(import_graph(found)) == {frozenset({"room.a", "room.b", "room.c"})}


def test_a_late_import_is_found() -> None:
    source = parse("room.a", "def f():\n    from femtodriver.room.b import x\n    import numpy")
    assert not may_import_late(source)
    assert lazy_imports(source, {"room.a", "room.b"}) == {("room.a", "room.b")}
