"""Source archive and wheels: what is in them, that they come out the same again, and that they work on their own."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling is not installed; pip install '.[test]' brings it")
pytest.importorskip("cyclonedx", reason="cyclonedx-python-lib is not installed; pip install '.[test]' brings it")
from build_release import (
    CHECKSUMS,
    BuildError,
    build_sdist,
    build_wheel,
    differences,
    source_date_epoch,
    unpacked,
    write_checksums,
)
from check_release import check_wheel

from femtodriver import __version__
from femtodriver.native.library import AVX2, BASELINE, FOLDER, find_library

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = {"SOURCE_DATE_EPOCH": "1700000000"}
NEEDED = ("numpy", "PyYAML", "rich", "markdown-it-py", "mdurl", "Pygments", "tomli")
# Stands in for a compiler, which would take 15 s: the libraries that are there already were made from these sources.
COMPILER = """#!/bin/sh
for last; do :; done
case "$last" in *avx2*) cp {folder}/{avx2} "$last" ;; *) cp {folder}/{baseline} "$last" ;; esac
"""


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive of this checkout."""
    return build_sdist(ROOT, tmp_path_factory.mktemp("sdist"), VARIABLES)


def make_wheel(sdist: Path, folder: Path, *, native: bool) -> Path:
    """A wheel from the source archive alone."""
    made = folder / "wheels"
    made.mkdir()
    return build_wheel(unpacked(sdist, folder), made, VARIABLES, native=native)


def install_from_here(python: Path, wheel: Path) -> None:
    """Without a package index: what the wheel needs is linked from the environment of this test."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    (site,) = python.parents[1].glob("lib/python3.*/site-packages")
    for name in NEEDED:
        try:
            files = metadata.files(name) or []
        except metadata.PackageNotFoundError:  # tomli, on a newer Python
            continue
        for top in {Path(file).parts[0] for file in files if ".." not in Path(file).parts}:
            if not (site / top).exists():
                (site / top).symlink_to(str(metadata.distribution(name).locate_file(top)))


@pytest.mark.slow
def test_the_source_archive_is_the_same_again_without_git(sdist: Path, tmp_path: Path) -> None:
    inner = unpacked(sdist, tmp_path)
    assert not (inner / ".git").exists()
    again = build_sdist(inner, tmp_path / "again", VARIABLES)
    assert again.read_bytes() == sdist.read_bytes()
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
        assert {member.mtime for member in archive.getmembers()} == {1700000000}
    assert {"LICENSE", "SECURITY.md", "CHANGELOG.md", "constraints.txt", "hatch_build.py", "PKG-INFO"} <= names
    assert [name for name in names if name.endswith((".so", ".pyc"))] == []


@pytest.mark.slow
def test_the_pure_wheel_works_alone(sdist: Path, tmp_path: Path) -> None:
    wheel = make_wheel(sdist, tmp_path, native=False)
    assert wheel.name == f"open_femtodriver-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        about = archive.read(f"open_femtodriver-{__version__}.dist-info/METADATA").decode("utf-8")
    assert "femtodriver/py.typed" in names
    assert f"open_femtodriver-{__version__}.dist-info/licenses/LICENSE" in names
    assert not any(name.endswith(".so") for name in names)
    assert "\nLicense-Expression: Apache-2.0\nLicense-File: LICENSE\n" in about
    assert check_wheel(wheel, Path(sys.executable), install_from_here) == "runs on the NumPy machine, bit-exact; typed"
    again = tmp_path / "again"
    again.mkdir()
    assert make_wheel(sdist, again, native=False).read_bytes() == wheel.read_bytes()


@pytest.mark.slow
def test_the_wheel_with_the_native_loop_works_alone(
    sdist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(found := find_library(), str):
        pytest.skip(found)
    compiler = tmp_path / "compiler"
    compiler.write_text(COMPILER.format(folder=FOLDER, avx2=AVX2, baseline=BASELINE))
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    wheel = make_wheel(sdist, tmp_path, native=True)
    assert not wheel.name.endswith("-any.whl")
    assert check_wheel(wheel, Path(sys.executable), install_from_here) == "runs on the native loop, bit-exact; typed"


@pytest.mark.slow
def test_a_wheel_that_cannot_be_built_is_one_sentence(
    sdist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(BuildError, match=r"^hatchling failed: .*the native loop must be built"):
        make_wheel(sdist, tmp_path, native=True)


def test_folders_are_compared_by_content(tmp_path: Path) -> None:
    for name, texts in (("a", {"x": "1", "y": "2"}), ("b", {"x": "1", "y": "3", "z": "4"})):
        (tmp_path / name).mkdir()
        for file, text in texts.items():
            (tmp_path / name / file).write_text(text)
    assert differences(tmp_path / "a", tmp_path / "b") == ["y", "z"]
    write_checksums(tmp_path / "a")
    lines = (tmp_path / "a" / CHECKSUMS).read_text().splitlines()
    assert lines[0] == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b  x"
    assert len(lines) == 2


def test_the_time_of_all_files_is_given_or_that_of_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12")
    assert source_date_epoch(tmp_path) == "12"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert source_date_epoch(tmp_path) == "1580601600"
