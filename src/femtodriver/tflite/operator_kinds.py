"""The operators that are understood: how each is stored in a file, and the rules for its tensors. One row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.tflite.builtin_names import BUILTIN_NAMES
from femtodriver.tflite.operator_shapes import (
    ShapeRule,
    as_stored,
    broadcast,
    concatenation,
    convolution,
    depthwise_convolution,
    fully_connected,
    mean,
    no_output,
    pad,
    pool,
    reshape,
    split,
    split_by_sizes,
    strided_slice,
    unchanged,
)
from femtodriver.tflite.value_rules import (
    ValueRule,
    any_values,
    copied,
    dequantized,
    elementwise,
    fixed_output,
    mean_values,
    requantized,
    weighted,
)

FUSED = "fused_activation"
NUMBERS = "[i]"
REAL = "f"
TEXT = "text"


@dataclass(frozen=True)
class OptionField:
    """A field of an operator's options. ``layout``: a letter of ``struct``, or one of NUMBERS, REAL, TEXT."""

    name: str
    slot: int
    layout: str = "i"
    default: int = 0


@dataclass(frozen=True)
class OperatorKind:
    """``shapes`` computes the outputs' shapes, ``values`` checks types, quantizations and weights.

    ``options_type``: which table of the union holds the options. ``inputs``: fewest and most, None is no limit.
    ``optional``: the inputs that may be absent (-1).
    """

    name: str
    shapes: ShapeRule
    values: ValueRule
    options_type: int = 0
    options: tuple[OptionField, ...] = ()
    inputs: tuple[int, int | None] = (1, 1)
    outputs: tuple[int, int | None] = (1, 1)
    optional: frozenset[int] = frozenset()


def _fields(*names: str, layout: str = "i", default: int = 0, first: int = 0) -> tuple[OptionField, ...]:
    return tuple(OptionField(name, first + place, layout, default) for place, name in enumerate(names))


def _fused(slot: int) -> tuple[OptionField, ...]:
    return _fields(FUSED, layout="b", first=slot)


_PADDING = _fields("padding", layout="b")
_STRIDES = _fields("stride_w", "stride_h", first=1)
_POOL = (*_PADDING, *_STRIDES, *_fields("filter_width", "filter_height", first=3), *_fused(5))
_BIAS = frozenset({2})
_ROWS = (
    OperatorKind("ADD", broadcast, elementwise, 11, _fused(0), (2, 2)),
    OperatorKind("AVERAGE_POOL_2D", pool, copied(), 5, _POOL),
    OperatorKind("MAX_POOL_2D", pool, copied(), 5, _POOL),
    OperatorKind("CONCATENATION", concatenation, copied(), 10, (*_fields("axis"), *_fused(1)), (1, None)),
    OperatorKind(
        "CONV_2D",
        convolution,
        weighted(0),
        1,
        (*_PADDING, *_STRIDES, *_fused(3), *_fields("dilation_w", "dilation_h", default=1, first=4)),
        (2, 3),
        optional=_BIAS,
    ),
    OperatorKind(
        "DEPTHWISE_CONV_2D",
        depthwise_convolution,
        weighted(3),
        2,
        (
            *_PADDING,
            *_STRIDES,
            *_fields("depth_multiplier", first=3),
            *_fused(4),
            *_fields("dilation_w", "dilation_h", default=1, first=5),
        ),
        (2, 3),
        optional=_BIAS,
    ),
    OperatorKind("DEQUANTIZE", unchanged, dequantized, 38),
    OperatorKind(
        "FULLY_CONNECTED",
        fully_connected,
        weighted(0),
        8,
        (
            *_fused(0),
            *_fields("weights_format", layout="b", first=1),
            *_fields("keep_num_dims", "asymmetric_quantize_inputs", layout="?", first=2),
        ),
        (2, 3),
        optional=_BIAS,
    ),
    OperatorKind("LOGISTIC", unchanged, fixed_output(1 / 256, -128)),
    OperatorKind("TANH", unchanged, fixed_output(1 / 128, 0)),
    OperatorKind("MUL", broadcast, elementwise, 21, _fused(0), (2, 2)),
    OperatorKind("SUB", broadcast, elementwise, 28, _fused(0), (2, 2)),
    OperatorKind("RELU", unchanged, elementwise),
    OperatorKind("RELU6", unchanged, elementwise),
    OperatorKind("RESHAPE", reshape, copied(0), 17, _fields("new_shape", layout=NUMBERS), (1, 2)),
    OperatorKind("SOFTMAX", unchanged, fixed_output(1 / 256, -128), 9, _fields("beta", layout=REAL)),
    OperatorKind("PAD", pad, copied(0), 22, (), (2, 2)),
    OperatorKind("MEAN", mean, mean_values, 27, _fields("keep_dims", layout="?"), (2, 2)),
    OperatorKind(
        "STRIDED_SLICE",
        strided_slice,
        copied(0),
        32,
        (
            *_fields("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"),
            *_fields("offset", layout="?", first=5),
        ),
        (4, 4),
    ),
    OperatorKind("SPLIT", split, copied(1), 35, _fields("num_splits"), (2, 2), (1, None)),
    OperatorKind("SPLIT_V", split_by_sizes, copied(0), 79, _fields("num_splits"), (3, 3), (1, None)),
    OperatorKind("QUANTIZE", unchanged, requantized, 89),
    OperatorKind("CALL_ONCE", no_output, any_values, 103, _fields("init_subgraph_index"), (0, 0), (0, 0)),
    OperatorKind("VAR_HANDLE", as_stored, any_values, 111, _fields("container", "shared_name", layout=TEXT), (0, 0)),
    OperatorKind("READ_VARIABLE", as_stored, any_values, 112),
    OperatorKind("ASSIGN_VARIABLE", no_output, any_values, 113, (), (2, 2), (0, 0)),
)
OPERATOR_KINDS: Mapping[str, OperatorKind] = {row.name: row for row in _ROWS}


def operator_name(code: int) -> str:
    """The name of a built-in operator, else its number in words."""
    return BUILTIN_NAMES[code] if 0 <= code < len(BUILTIN_NAMES) else f"operator code {code}"
