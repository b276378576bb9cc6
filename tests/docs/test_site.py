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


@pytest.mark.slow
@needs_sphinx
@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("# Page\n\n[gone](gone.md)\n", "cross-reference target not found: 'gone.md'"),
        ("# Page\n\n[gone](#nothing)\n", "'myst' cross-reference target not found: 'nothing'"),
        ("# Page\n\n[gone](index.md#nothing)\n", "local id not found in doc 'docs/index': 'nothing'"),
        ("# Page\n\n[gone](../src/gone.py)\n", "cross-reference target not found: '../src/gone.py'"),
        ("# Page\n\n![gone](gone.png)\n", "image file not readable: docs/gone.png"),
        ("# Page\n\n```{nothing}\n```\n", "Unknown directive type: 'nothing'"),
    ],
)
def test_what_is_broken_is_an_error(tmp_path: Path, page: str, fault: str) -> None:
    done = built(tmp_path / "site", small_site(tmp_path / "source", page))
    assert done.returncode == 1
    assert fault in done.stderr


@pytest.mark.slow
@needs_sphinx
def test_a_page_that_the_index_leaves_out_is_an_error(tmp_path: Path) -> None:
    done = built(tmp_path / "site", small_site(tmp_path / "source", "# Page\n", "# A site\n"))
    assert done.returncode == 1
    assert "document isn't included in any toctree" in done.stderr


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
