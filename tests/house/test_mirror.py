"""Tests are where one looks for them: folders are named after rooms, files after modules or a listed subject."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.house.source_code import PACKAGE, ROOT

TESTS = ROOT / "tests"
# Folders that look at more than one room, or at what is outside the package; see docs/testing.md.
ACROSS = {"agree", "corpus", "docs", "examples", "house", "tools"}
DATA = {"golden", "__pycache__"}

# Test files that are about a subject with parts in several modules of their room.
SUBJECTS = {
    "compiler/test_operators_doc": "docs/operators.md follows from the code",
    "compiler/test_part_sizes": "every part that could be built",
    "device/test_board_fuzz": "mutated traffic",
    "device/test_board_machines": "a board on either machine",
    "device/test_board_rules": "what a board refuses",
    "device/test_independent_emulator": "a board written from the documents alone",
    "device/test_one_client_at_a_time": "who owns a board",
    "device/test_order_of_life": "calls in the wrong order",
    "device/test_soak": "many frames",
    "device/test_stamps_and_deadlines": "time as the protocols tell it",
    "driver/test_reference_defects": "what is better here than in the reference: structure",
    "driver/test_reference_defects_in_use": "what is better here than in the reference: use",
    "driver/test_reference_page": "code of the reference's page",
    "fqir/files/test_attacks": "hostile files",
    "fqir/files/test_mutants": "damaged files",
    "fqir/operators/test_rules": "rules of all operators",
    "machine/test_execute_accumulations": "a part of execute_vectors",
    "machine/test_execute_interpolations": "a part of execute_tables",
    "machine/test_execute_lookups": "a part of execute_tables",
    "native/test_kernels_elsewhere": "the kernels of other processors",
    "native/test_narrow_kernels": "where the loop calculates in 32 bits",
    "tflite/test_attacks": "hostile files",
    "tflite/test_extreme_scales": "scales at the limits of float32",
    "tflite/test_litert_judge": "the kernels that judge ours, and the models that they are given",
    "tflite/test_mutants": "damaged files",
    "tflite/test_random_imports": "importers of all operators, beside the judge",
}


def module_names(room: Path) -> set[str]:
    """Names that a test file of a room may take: the room, its folders and its modules."""
    return {room.name, *(path.stem for path in room.rglob("*") if path.suffix == ".py" or path.is_dir())}


def named_after(name: str, modules: Iterable[str]) -> bool:
    """``test_MODULE``, with words before or after it."""
    subject = name.removeprefix("test_")
    return any(f"_{module}_" in f"_{subject}_" for module in modules)


def folders() -> list[Path]:
    return [path for path in sorted(TESTS.rglob("*")) if path.is_dir() and not DATA & set(path.parts)]


def test_every_folder_is_one_of_the_package_or_cuts_across() -> None:
    inner = [path.relative_to(TESTS) for path in folders()]
    assert [str(path) for path in inner if path.parts[0] not in ACROSS and not (PACKAGE / path).is_dir()] == []


def test_every_folder_is_a_package() -> None:
    assert [str(path) for path in folders() if not (path / "__init__.py").is_file()] == []


def test_every_room_has_tests() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name not in DATA}
    without = rooms - {path.name for path in TESTS.iterdir()}
    assert without == set(), f"tests/ must have a folder for {without}"


def test_every_file_is_named_after_a_module_or_a_subject() -> None:
    rooms = {path.name: module_names(path) for path in PACKAGE.iterdir() if path.is_dir()}
    odd = []
    for path in sorted(TESTS.rglob("test_*.py")):
        inner = path.relative_to(TESTS).with_suffix("")
        modules = module_names(PACKAGE) if len(inner.parts) == 1 else rooms.get(inner.parts[0])
        if modules is not None and not named_after(path.stem, modules) and inner.as_posix() not in SUBJECTS:
            odd.append(inner.as_posix())
    assert odd == [], "name it after what it tests, or list its subject here"


def test_every_subject_has_a_file() -> None:
    assert [name for name in SUBJECTS if not (TESTS / f"{name}.py").is_file()] == []


@pytest.mark.parametrize(
    ("name", "fits"),
    [("test_memory", True), ("test_memory_faults", True), ("test_bank_memory", True), ("test_memories", False)],
)
def test_names_are_compared_by_words(name: str, fits: bool) -> None:
    assert named_after(name, {"memory"}) == fits
