"""SHA-256 of every file that the public interface writes for the corpus: what must not change when code is moved.

``python tools/fingerprint.py CORPUS > before.txt`` on one commit, the same on another, then ``diff``. Every model is
compiled and run by the runners fqir, fmir and fasmir on three seeded random frames; captured graphs are compiled and
simulated. Each line is a digest, the model, and the path inside its folder.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import tempfile
from pathlib import Path

from femtodriver import Femtodriver
from femtodriver.errors import FemtoError

FRAMES = 3


def fingerprint(model: Path, folder: Path) -> list[str]:
    """One line per file of the model's folder, or one with the error."""
    name = f"{model.parent.parent.name}/{model.parent.name}" if model.suffix else str(model)
    with Femtodriver() as driver:
        try:
            driver.run(
                str(model),
                model_name=model.parent.name or None,
                output_dir=folder,
                runners="fqir,fmir,fasmir",
                n_frames=FRAMES,
                input_period=0.016,
                seed=7,
                no_outputs=True,
                input_style="random",
            )
        except FemtoError as error:
            return [f"{type(error).__name__}: {error}  {name}"]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}  {path.relative_to(folder)}" for path in files]


def main(arguments: list[str]) -> int:
    """Print the lines of LOOPBACK and of every graph in the folder that the argument names."""
    if len(arguments) != 1:
        print("usage: python tools/fingerprint.py CORPUS", file=sys.stderr)
        return 2
    logging.disable(logging.WARNING)
    for model in (Path("LOOPBACK"), *sorted(Path(arguments[0]).glob("*/*/graph.pt"))):
        with tempfile.TemporaryDirectory() as folder:
            print("\n".join(fingerprint(model, Path(folder))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
