"""Pictures of how runs differ, with the package matplotlib if it is there."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from femtodriver.arrays import Float64Array, Int64Array
from femtodriver.runners.distance import signed_differences
from femtodriver.safe_text import plain_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Outputs = Mapping[str, Mapping[str, Int64Array]]

HISTOGRAM, OVER_TIME = "output_hist.png", "output_diff_over_time.png"
NO_PLOTS = "no difference plots: the package matplotlib is not installed; pip install 'open-femtodriver[plots]'"
# From the lowest level up: the others are compared with the first of these that is there.
LEVELS = ("hardware", "fakehw", "fasmir", "fmir", "fqir", "dummy")
_MOST_OUTPUTS = 8
_BINS = 41


def can_draw() -> bool:
    """Whether matplotlib is installed; it is not loaded."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(outputs: Outputs) -> dict[str, bytes]:
    """PNG files by name: a histogram of the differences of each pair, and their course over the frames.

    ``outputs``: {runner: {output: int64 (frames, elements)}}, of at least two runners. Nothing without matplotlib, or
    if the runners have no output in common. At most eight outputs are shown.
    """
    if not can_draw() or len(outputs) < 2:
        return {}
    order = sorted(outputs, key=lambda name: LEVELS.index(name) if name in LEVELS else len(LEVELS))
    base, others = order[0], order[1:]
    shared = [name for name in outputs[base] if all(name in outputs[other] for other in others)][:_MOST_OUTPUTS]
    if not shared:
        return {}
    apart = {(other, name): _apart(outputs[base][name], outputs[other][name]) for other in others for name in shared}
    return {
        HISTOGRAM: _png(_grid(base, others, shared, apart, _histogram)),
        OVER_TIME: _png(_grid(base, others, shared, apart, _course)),
    }


def _apart(first: Int64Array, other: Int64Array) -> Float64Array:
    """Differences (frames, elements) of what both have."""
    frames, width = min(len(first), len(other)), min(first.shape[-1], other.shape[-1])
    return signed_differences(first[:frames, :width], other[:frames, :width])


def _grid(base: str, others: Sequence[str], shared: Sequence[str], apart: Mapping[Any, Any], fill: Any) -> Figure:
    """One row per output, one column per pair."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1 + 4.5 * len(others), 0.5 + 3 * len(shared)), layout="constrained")
    axes = figure.subplots(len(shared), len(others), squeeze=False)
    for row, name in zip(axes, shared, strict=True):
        for axis, other in zip(row, others, strict=True):
            found = apart[other, name]
            verdict = "perfect match" if found.size and not found.any() else f"at most {np.abs(found).max(initial=0):g}"
            # A dollar sign would begin mathematics.
            title = f"{other} - {base}, {plain_name(name, 40)}: {verdict}".replace("$", r"\$")
            axis.set_title(title, fontsize="small")
            fill(axis, found)
    return figure


def _histogram(axis: Any, found: Float64Array) -> None:
    most = np.abs(found).max(initial=0) + 0.5
    axis.hist(found.reshape(-1), bins=min(_BINS, max(1, int(2 * most))), range=(-most, most), log=bool(found.size))
    axis.set_ylim(bottom=0.5)  # so that a single element shows
    axis.set_xlabel("difference")
    axis.set_ylabel("elements")


def _course(axis: Any, found: Float64Array) -> None:
    sizes = np.abs(found)
    if found.size:
        axis.plot(sizes.max(axis=1), label="largest", linewidth=1)
        axis.plot(sizes.mean(axis=1), label="mean", linewidth=1)
        axis.legend(fontsize="small")
    axis.set_ylim(bottom=0, top=max(1, 1.05 * sizes.max(initial=0)))
    axis.set_xlabel("frame")
    axis.set_ylabel("absolute difference")


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
