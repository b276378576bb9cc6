"""For the tests of evaluations: clips of the built-in network, which returns its input, and rules that misbehave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet

from femtodriver import Femtodriver

FRAMES, WIDTH = 5, 16
POISON = 666
NUMBER = """
def number(outputs):
    return int(next(iter(outputs.values()))[0, 0])
"""
# Ends its process for one clip, always; for another, the first time only.
POISONED = """
import os, pathlib

def rule(outputs):
    first = int(next(iter(outputs.values()))[0, 0])
    if first == 666:
        os._exit(3)
    if first == 777 and not pathlib.Path(__file__).with_name("died").exists():
        pathlib.Path(__file__).with_name("died").touch()
        os._exit(3)
    return first
"""
# Waits at each clip, and notes which clips it has seen.
SLOW = """
import pathlib, time

def rule(outputs):
    first = int(next(iter(outputs.values()))[0, 0])
    with open(pathlib.Path(__file__).with_name("seen"), "a") as seen:
        seen.write(f"{first}\\n")
    time.sleep(0.1)
    return first
"""


def write_clips(folder: Path, values: list[int]) -> list[Path]:
    """A clip for each value, all of whose elements it is."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}.npy" for number in range(len(values))]
    for path, value in zip(paths, values, strict=True):
        np.save(path, np.full((FRAMES, WIDTH), value, np.int16))
    return paths


def evaluate(**options: Any) -> tuple[dict[str, Any], list[str]]:
    """Evaluate the built-in network on the clips below ``clips``, with one worker: summary, and what was told."""
    said: list[str] = []
    with Femtodriver() as driver:
        driver.say = said.append
        doc = driver.evaluate("LOOPBACK", **{"inputs": "clips", "workers": 1, **options})
    return doc, said


def rows(folder: str | Path = "evaluations") -> list[dict[str, Any]]:
    """The rows of the Parquet file."""
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(Path(folder, "LOOPBACK", "clips.parquet")).to_pylist()
    return found


def parquet_bytes(folder: str | Path = "evaluations") -> bytes:
    """The Parquet file."""
    return Path(folder, "LOOPBACK", "clips.parquet").read_bytes()
