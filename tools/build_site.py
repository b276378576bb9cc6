"""Build the documentation site from docs/*.md, strictly: a broken link, anchor or directive is an error.

``python tools/build_site.py build/site``, which is ``make site``. Needs ``pip install '.[docs]'``.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "docs" / "site"
NEEDED = ("sphinx", "myst_parser", "furo")


def build(source: Path, target: Path) -> int:
    """Sphinx's exit status; what is wrong stands on stderr. Every page is built again."""
    from sphinx.cmd.build import main as sphinx

    strict = ["--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    status: int = sphinx(
        [*strict, "--conf-dir", str(SETTINGS), "--doctree-dir", f"{target}.trees", str(source), str(target)]
    )
    return status


def missing() -> list[str]:
    """Packages of the extra that are not installed."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def main() -> int:
    """Exit status: Sphinx's, or 1 without it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", type=Path, help="folder for the pages")
    parser.add_argument("--source", type=Path, default=ROOT, help="folder that has docs/ (default: the repository)")
    options = parser.parse_args()
    if absent := missing():
        print(f"the site needs {', '.join(absent)}: pip install '.[docs]'", file=sys.stderr)
        return 1
    status = build(options.source, options.target)
    if status == 0:
        print(f"open {options.target / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
