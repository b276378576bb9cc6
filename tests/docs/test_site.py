"""The documentation site: it builds without a warning, and a broken link, anchor or picture would be one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import build_site
import pytest
import site_navigation

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "tools" / "build_site.py"
INDEX = "# A site\n\n## Guides\n\n* [A page](page.md): what it says\n"

needs_sphinx = pytest.mark.skipif(
    bool(build_site.missing()), reason="Sphinx, MyST or furo is not installed; pip install '.[docs]' brings them"
)


def built(target: Path, source: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BUILD), str(target), "--source", str(source)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def small_site(folder: Path, page: str, index: str = INDEX) -> Path:
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "index.md").write_text(index, "utf-8")
    (folder / "docs" / "page.md").write_text(page, "utf-8")
    return folder


@pytest.mark.slow
@needs_sphinx
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = built(tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")
    pages = {path.stem for path in (tmp_path / "site" / "docs").glob("*.html")}
    assert pages == {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert "url=docs/index.html" in (tmp_path / "site" / "index.html").read_text("utf-8")


FAULTS = {
    "[gone](gone.md)": "cross-reference target not found: 'gone.md'",
    "[gone](#nothing)": "'myst' cross-reference target not found: 'nothing'",
    "[gone](index.md#neither)": "local id not found in doc 'docs/index': 'neither'",
    "[gone](../src/gone.py)": "cross-reference target not found: '../src/gone.py'",
    "![gone](gone.png)": "image file not readable: docs/gone.png",
    "```{nothing}\n```": "Unknown directive type: 'nothing'",
}


@pytest.mark.slow
@needs_sphinx
def test_what_is_broken_is_an_error(tmp_path: Path) -> None:
    source = small_site(tmp_path / "source", "# Page\n\n" + "\n\n".join(FAULTS) + "\n")
    (source / "docs" / "left_out.md").write_text("# A page that the index leaves out\n", "utf-8")
    done = built(tmp_path / "site", source)
    assert done.returncode == 1
    wanted = [*FAULTS.values(), "left_out.md: WARNING: document isn't included in any toctree"]
    assert [fault for fault in wanted if fault not in done.stderr] == []


def test_the_order_of_the_site_is_that_of_the_index() -> None:
    index = "## Guides\n\n* [One](one.md): 1\n* [Two](../two/README.md)\n\n## Empty\n\n## Inside\n\n* [Three](3.md)\n"
    assert site_navigation.parts(index) == [
        ("Guides", [("One", "docs/one"), ("Two", "two/README")]),
        ("Inside", [("Three", "docs/3")]),
    ]


def test_every_page_is_in_the_index() -> None:
    parts = site_navigation.parts((ROOT / "docs" / "index.md").read_text("utf-8"))
    listed = [page for _, pages in parts for _, page in pages]
    assert len(set(listed)) == len(listed)
    assert {f"docs/{path.stem}" for path in (ROOT / "docs").glob("*.md")} - {"docs/index"} <= set(listed)
