"""The pictures of docs/: parts of the example's report, as Chromium shows them, and the plot of docs/sweep.md.

``python tools/report_picture.py`` after a change of the page; it needs the program chromium, and matplotlib.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from headless_chromium import Chromium

from femtodriver import Femtodriver
from femtodriver.sweep import run_sweep
from femtodriver.sweep.pareto_plot import write_plot
from femtodriver.sweep.sweep_result import SweepResult

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "keyword_spotter"
# Section of the page where the picture begins -> file, width and height.
PICTURES = {
    "main": ("report.png", 1040, 900),
    "layers": ("report-layers.png", 1040, 900),
    "power": ("report-power.png", 1040, 640),
    "timeline": ("report-timeline.png", 1040, 420),
}


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
        write_plot(sweep(), ROOT / "docs" / "sweep.png")


def sweep() -> SweepResult:
    """The sweep of docs/sweep.md."""
    return run_sweep(
        "keyword_spotter.pt",
        input_file="words.npz",
        input_period=0.016,
        hw_config=["spu001", "spu001x4"],
        compiler_options={"cores": [1, 2, 4]},
        clock=[50e6, 100e6],
    )


if __name__ == "__main__":
    main()
