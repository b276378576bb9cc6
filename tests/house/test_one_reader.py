"""Files are opened in one place (femtodriver.files), so that no other can hang on a pipe or read without end."""

from __future__ import annotations

import ast

import pytest

from tests.house.source_code import Source, parse, sources

# module -> what it opens by itself, each with a reason
ALLOWED = {
    "files.file_access": {"open", "os.open"},
    "files.growing_file": {"open"},  # a new file, to write it
    "part.part": {"read_bytes"},  # a resource of the package
    "metrics.energy": {"read_text"},  # a resource of the package
    "report.page_templates": {"read_text"},  # resources of the package
    "cli.completion_script": {"read_text"},  # a resource of the package
    "native.library": {"read_bytes"},  # the source beside the library, to compare its hash
    "evaluation.clip_journal": {"open"},  # its own file, to add lines to
    "isa.doc": {"read_text"},  # a tool for maintainers that rewrites docs/isa.md
    "output.atomic_folder": {"os.open"},  # a folder, to sync it
    "pytorch.conversion_child": {"os.open"},  # the null device, and a new file for what torch and fmot print
    "cli.standard_streams": {"open", "os.open"},  # the null device, in place of a closed stream
    "device.evk2.usb_boards": {"os.open"},  # a lock, never read
}
READERS = {"open", "os.open", "io.open", "np.load", "np.fromfile", "np.memmap", "np.loadtxt", "np.genfromtxt"}
METHODS = {"read_text", "read_bytes"}


def openings(source: Source) -> set[str]:
    """Names of the calls of a module that open a file by its path."""
    return {opening for node, _, _ in source.walk() if isinstance(node, ast.Call) for opening in opening_of(node)}


def opening_of(call: ast.Call) -> list[str]:
    name = ast.unparse(call.func)
    if name in READERS:
        return [name]
    if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
        return [call.func.attr]
    on_path = bool(call.args) and ast.unparse(call.args[0]) in ("path", "where", "source", "name", "file")
    return [name] if name == "zipfile.ZipFile" and on_path else []


def test_files_are_opened_in_one_place() -> None:
    found = {source.module: openings(source) - ALLOWED.get(source.module, set()) for source in sources()}
    assert {module: calls for module, calls in found.items() if calls} == {}


def test_no_exception_is_left_over() -> None:
    found = {source.module: openings(source) for source in sources()}
    assert {module: left for module, calls in ALLOWED.items() if (left := calls - found[module])} == {}


@pytest.mark.parametrize(
    "text", ["open('x')", "Path(x).read_bytes()", "os.open(x, 0)", "np.load(path)", "zipfile.ZipFile(path)"]
)
def test_the_check_can_fail(text: str) -> None:
    assert openings(parse("program.a", text))
