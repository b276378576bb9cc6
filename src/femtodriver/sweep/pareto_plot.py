"""A picture of a sweep, latency against power, with the package matplotlib."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath, shown_path, write_file
from femtodriver.output.plots import can_draw
from femtodriver.sweep.sweep_result import LATENCY, POWER, SweepResult, SweepRow, setting_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".svg", ".png")
_MARKERS = "osD^vP*X"
_MOST_NAMED = 12


def check_plot(path: AnyPath | None) -> None:
    """UsageError for a file that cannot be drawn, before anything is compiled; None asks for none."""
    if path is None:
        return
    if Path(path).suffix.lower() not in ENDINGS:
        raise UsageError(f"plot: must be a path that ends in {' or '.join(ENDINGS)}, not {os.fspath(path)!r:.60}.")
    if not can_draw():
        raise UsageError(
            "plot: the package matplotlib must be installed to draw; run pip install 'open-femtodriver[plots]'."
        )
    if not Path(path).absolute().parent.is_dir():
        raise UsageError(f"plot: {shown_path(path)}: the folder must exist.")


def write_plot(result: SweepResult, path: AnyPath) -> None:
    """Draw the result into a file. UsageError as of ``check_plot``; ProgramError where it cannot be written."""
    check_plot(path)
    write_file(Path(path), picture(result, Path(path).suffix.lower().removeprefix(".")))


def picture(result: SweepResult, form: str) -> bytes:
    """The picture as "svg" or "png": the same result gives the same bytes."""
    import matplotlib

    stream = io.BytesIO()
    nothing = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    with matplotlib.rc_context({"svg.hashsalt": "femtodriver", "svg.fonttype": "none"}):
        _figure(result).savefig(stream, format=form, metadata=nothing)
    return stream.getvalue()


def _figure(result: SweepResult) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    figure = Figure(figsize=(8, 5), layout="constrained")
    axis = figure.subplots()
    drawn = [row for row in result.rows if row.fits]
    for place, part in enumerate(dict.fromkeys(row.part for row in drawn)):
        _draw_part(axis, [row for row in drawn if row.part == part], part, _MARKERS[place % len(_MARKERS)], place)
    best = result.optimal
    for key in dict.fromkeys((row.input_period_s, row.temperature_c) for row in best):
        points = sorted(_point(row) for row in best if (row.input_period_s, row.temperature_c) == key)
        axis.plot(*zip(*points, strict=True), color="0.5", linewidth=1, zorder=1)
    for row in best[:_MOST_NAMED]:
        axis.annotate(_label(row, result), _point(row), (5, 5), textcoords="offset points", fontsize="x-small")
    axis.set(xscale="log", yscale="log", xlabel="power over the period, typical", ylabel="mean latency")
    for one, unit in ((axis.xaxis, "W"), (axis.yaxis, "s")):
        one.set_major_formatter(EngFormatter(unit))
        one.set_minor_formatter(EngFormatter(unit))
        one.set_tick_params(which="both", labelsize="x-small")
    axis.set_title(_plain(f"{result.model}: filled where no other is better"), fontsize="medium")
    axis.grid(which="both", color="0.9")
    axis.set_axisbelow(True)
    if drawn:
        axis.legend(fontsize="small")
    return figure


def _draw_part(axis: Any, rows: Sequence[SweepRow], part: str, marker: str, place: int) -> None:
    colour = f"C{place % 10}"
    points = [_point(row) for row in rows]
    faces = [colour if row.optimal else "none" for row in rows]
    axis.scatter(
        [x for x, _ in points],
        [y for _, y in points],
        facecolors=faces,
        edgecolors=colour,
        marker=marker,
        label=_plain(part),
        zorder=2,
    )


def _point(row: SweepRow) -> tuple[float, float]:
    return float(row.figures[POWER] or 0), float(row.figures[LATENCY] or 0)


def _label(row: SweepRow, result: SweepResult) -> str:
    texts = {name: setting_text(name, row) for name in result.varied if name != "part"}
    return _plain(", ".join(text if text[-1:].isalpha() else f"{name} {text}" for name, text in texts.items()))


def _plain(text: str) -> str:
    """A dollar sign would begin mathematics."""
    return text.replace("$", r"\$")
