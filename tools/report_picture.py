"""The picture of docs/report.md: the beginning and the middle of the example's report, as Chromium shows them.

``python tools/report_picture.py`` after a change of the page; it needs the program chromium.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from headless_chromium import Chromium

from femtodriver import Femtodriver

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "keyword_spotter"
# Section of the page where the picture begins -> file, width and height.
PICTURES = {"main": ("report.png", 1040, 900), "layers": ("report-layers.png", 1040, 900)}


def main() -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as folder, Chromium() as browser:
        page = Path(folder) / "report.html"
        os.chdir(EXAMPLE)
        Femtodriver().run(
            "keyword_spotter.pt",
            runners="fqir,fasmir",
            input_file="words.npz",
            input_period=0.016,
            output_dir=folder,
            report=page,
        )
        for section, (name, width, height) in PICTURES.items():
            browser.show(page, width, height)
            browser.evaluate(f"document.getElementById({section!r}).scrollIntoView()")
            if section == "main":
                browser.evaluate("scrollTo(0, 0)")
            (ROOT / "docs" / name).write_bytes(browser.picture(whole=False))


if __name__ == "__main__":
    main()
