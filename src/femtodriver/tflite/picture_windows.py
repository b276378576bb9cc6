"""Which cells of a picture the windows of convolutions and pools meet."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.picture_strip import Strip

_SAME = 0
_MOST_CELLS = 1 << 20


def window_cells(op: CheckedOperator, filters: tuple[int, ...]) -> Int64Array:
    """Numbers of the picture's cells, row by row, [windows, cells of the filter]; -1 for padding.

    ``filters``: height and width. Windows are those of the output, cells of a batch follow each other.
    """
    batch, height, width, _ = op.input().shape
    check_cells(op, filters)
    strides = op.number("stride_h"), op.number("stride_w")
    known = "dilation_h" in op.operator.options
    dilations = (op.number("dilation_h"), op.number("dilation_w")) if known else (1, 1)
    places = [
        _places(size, count, filters[axis], strides[axis], dilations[axis], op.number("padding") == _SAME)
        for axis, (size, count) in enumerate(zip((height, width), op.output().shape[1:3], strict=True))
    ]
    cells = _cells(places[0], places[1], width)
    pictures = np.arange(batch)[:, np.newaxis, np.newaxis] * height * width
    return np.asarray(np.where(cells >= 0, cells + pictures, -1).reshape(-1, cells.shape[1]))


def check_cells(op: CheckedOperator, filters: tuple[int, ...]) -> None:
    """UnsupportedError for windows that have more cells than anybody needs."""
    found = prod(op.output().shape[:3]) * prod(filters)
    if found > _MOST_CELLS:
        raise op.unsupported(f"windows must have at most {_MOST_CELLS} cells in all, not {found}", op.output())


def strip_cells(op: CheckedOperator, filters: tuple[int, int], strip: Strip) -> Int64Array:
    """The same for neighbouring rows of one picture, whose cells are counted from the first of these; no dilation."""
    starts = np.arange(strip.results)[:, np.newaxis] * strip.stride - strip.above
    rows = starts + np.arange(filters[0])
    rows = np.where((rows >= 0) & (rows < strip.rows), rows, -1)
    width, count = op.input().shape[2], op.output().shape[2]
    columns = _places(width, count, filters[1], op.number("stride_w"), 1, op.number("padding") == _SAME)
    return _cells(rows, columns, width)


def _cells(rows: Int64Array, columns: Int64Array, width: int) -> Int64Array:
    """From rows and columns of cells for each window, -1 outside, to cells [windows, cells of the filter]."""
    down, across = rows[:, np.newaxis, :, np.newaxis], columns[np.newaxis, :, np.newaxis, :]
    found = np.where((down >= 0) & (across >= 0), down * width + across, -1)
    return np.asarray(found.reshape(len(rows) * len(columns), -1))


def padding(op: CheckedOperator, filters: Sequence[int]) -> tuple[int, int, int, int]:
    """Cells that windows need above, below, left and right of the picture."""
    dilated = "dilation_h" in op.operator.options
    found: list[int] = []
    for axis, size, count, length in zip("hw", op.input().shape[1:3], op.output().shape[1:3], filters, strict=True):
        dilation = op.number(f"dilation_{axis}") if dilated else 1
        missing = (count - 1) * op.number(f"stride_{axis}") + (length - 1) * dilation + 1 - size
        total = max(missing, 0) if op.number("padding") == _SAME else 0
        found += [total // 2, total - total // 2]
    return found[0], found[1], found[2], found[3]


def _places(size: int, count: int, length: int, stride: int, dilation: int, same: bool) -> Int64Array:
    """Along one axis: [windows, cells of the filter], -1 outside."""
    total = max((count - 1) * stride + (length - 1) * dilation + 1 - size, 0) if same else 0
    found = np.arange(count)[:, np.newaxis] * stride + np.arange(length) * dilation - total // 2
    return np.asarray(np.where((found >= 0) & (found < size), found, -1))
