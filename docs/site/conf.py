"""Settings of Sphinx for the site: the pages are docs/*.md and what they link to, the order is that of docs/index.md.

``make site`` builds it, with warnings as errors.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools")]

import site_navigation  # noqa: E402

import femtodriver  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "open-femtodriver"
author = "The open-femtodriver team"
version = release = femtodriver.__version__
copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc"]
# The root of the repository is the source folder, so that a link of a page leads to the same file here and there.
root_doc = "docs/index"
include_patterns = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/*.md"),
    *("examples/*/README.md", "benchmarks/README.md"),
]
source_suffix = {".md": "markdown"}

myst_heading_anchors = 4
highlight_language = "none"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "furo"
html_title = f"open-femtodriver {version}"
templates_path = ["templates"]
html_additional_pages = {"index": "to_first_page.html"}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    site_navigation.connect(app)
