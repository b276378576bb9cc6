"""The shape of each operator's output, computed from its inputs and options alone, to be compared with the file's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from femtodriver.tflite.checked_operator import CheckedOperator

Shape = tuple[int, ...]
ShapeRule = Callable[[CheckedOperator], Sequence[Shape]]
"""The shapes of all outputs. ModelError where inputs and options do not fit each other."""

_SAME, _VALID = 0, 1


def no_output(op: CheckedOperator) -> Sequence[Shape]:
    """It writes nothing."""
    return ()


def as_stored(op: CheckedOperator) -> Sequence[Shape]:
    """Handles and variables: ``state_variables`` compares them with what was assigned."""
    return (op.output().shape,)


def unchanged(op: CheckedOperator) -> Sequence[Shape]:
    """Element by element."""
    return (op.input().shape,)


def broadcast(op: CheckedOperator) -> Sequence[Shape]:
    """Two inputs, of which sizes of 1 are repeated."""
    first, second = op.input(0).shape, op.input(1).shape
    length = max(len(first), len(second))
    pairs = zip((1,) * (length - len(first)) + first, (1,) * (length - len(second)) + second, strict=True)
    found = []
    for one, other in pairs:
        if one != other and 1 not in (one, other):
            raise op.refuse(f"shapes of the inputs must fit each other, not be {list(first)} and {list(second)}")
        found.append(max(one, other))
    return (tuple(found),)


def concatenation(op: CheckedOperator) -> Sequence[Shape]:
    """Inputs joined along an axis."""
    shapes = [op.input(place).shape for place in range(len(op.operator.inputs))]
    axis = op.axis(op.number("axis"), len(shapes[0]))
    rest = {(shape[:axis], shape[axis + 1 :]) for shape in shapes}
    if len(rest) > 1 or {len(shape) for shape in shapes} != {len(shapes[0])}:
        raise op.refuse(f"shapes of the inputs must be equal but for axis {axis}, not {list(map(list, shapes[:4]))}")
    return ((*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]),)


def pool(op: CheckedOperator) -> Sequence[Shape]:
    """Windows of a picture, channel by channel."""
    batch, height, width, channels = _picture(op)
    filters = op.at_least_one("filter_height", "filter_width")
    return ((batch, *_windows(op, (height, width), filters, (1, 1)), channels),)


def convolution(op: CheckedOperator) -> Sequence[Shape]:
    """Windows of a picture, all channels together; filters are (outputs, height, width, channels)."""
    batch, height, width, channels = _picture(op)
    filters = _filters(op)
    if filters[3] != channels:
        if channels % filters[3] == 0:
            raise op.unsupported(f"the filters must have all {channels} channels of the input, not {filters[3]}")
        raise op.refuse(f"the filters must have the {channels} channels of the input, not {filters[3]}")
    _check_bias(op, filters[0])
    return ((batch, *_windows(op, (height, width), filters[1:3], _dilations(op)), filters[0]),)


def depthwise_convolution(op: CheckedOperator) -> Sequence[Shape]:
    """Windows of a picture, channel by channel; filters are (1, height, width, channels x multiplier)."""
    batch, height, width, channels = _picture(op)
    filters = _filters(op)
    (multiplier,) = op.at_least_one("depth_multiplier")
    if filters[0] != 1 or filters[3] != channels * multiplier:
        wanted = [1, *filters[1:3], channels * multiplier]
        raise op.refuse(f"the filters must be of shape {wanted}, not {list(filters)}")
    _check_bias(op, filters[3])
    return ((batch, *_windows(op, (height, width), filters[1:3], _dilations(op)), filters[3]),)


def fully_connected(op: CheckedOperator) -> Sequence[Shape]:
    """Rows of the flattened input times weights (outputs, inputs)."""
    shape, weights = op.input().shape, op.input(1).shape
    if len(weights) != 2:
        raise op.refuse(f"weights must be of two dimensions, not of shape {list(weights)}")
    outputs, inputs = weights
    keep = op.number("keep_num_dims")
    if (keep and shape[-1:] != (inputs,)) or prod(shape) % inputs:
        raise op.refuse(f"weights of shape {list(weights)} must fit the input's shape {list(shape)}")
    _check_bias(op, outputs)
    return ((*shape[:-1], outputs) if keep else (prod(shape) // inputs, outputs),)


def reshape(op: CheckedOperator) -> Sequence[Shape]:
    """The shape of the second input if there is one, else of the options; one size may be -1."""
    given = op.operator.options["new_shape"]
    wanted = op.integers(1, "the new shape").tolist() if op.has(1) else list(given if isinstance(given, tuple) else ())
    elements = prod(op.input().shape)
    if not wanted:
        raise op.refuse("the new shape must be given, by an input or an option")
    if wanted.count(-1) == 1:
        rest = prod(size for size in wanted if size != -1)
        if rest > 0 and elements % rest == 0:
            wanted[wanted.index(-1)] = elements // rest
    if min(wanted) < 1 or prod(wanted) != elements:
        raise op.refuse(f"the new shape must have {elements} elements, not be {wanted}")
    return (tuple(wanted),)


def pad(op: CheckedOperator) -> Sequence[Shape]:
    """Cells added before and behind each dimension."""
    shape = op.input().shape
    counts = op.integers(1, "the padding", (len(shape), 2)).reshape(-1, 2).tolist()
    if any(count < 0 for pair in counts for count in pair):
        raise op.refuse(f"the padding must be from 0, not {counts}")
    return (tuple(size + before + behind for size, (before, behind) in zip(shape, counts, strict=True)),)


def mean(op: CheckedOperator) -> Sequence[Shape]:
    """The axes of the second input are summed."""
    shape = op.input().shape
    axes = [op.axis(number, len(shape)) for number in op.integers(1, "the axes").tolist()]
    if len(set(axes)) != len(axes):
        raise op.refuse(f"the axes must differ, not be {axes}")
    if op.number("keep_dims"):
        return (tuple(1 if axis in axes else size for axis, size in enumerate(shape)),)
    return (tuple(size for axis, size in enumerate(shape) if axis not in axes),)


def strided_slice(op: CheckedOperator) -> Sequence[Shape]:
    """The elements that Python's slices take."""
    return (tuple(len(range(size)[part]) for size, part in zip(op.input().shape, slices(op), strict=True)),)


def slices(op: CheckedOperator) -> Sequence[slice]:
    """What a STRIDED_SLICE takes of each dimension."""
    rank = len(op.input().shape)
    begins, ends, steps = (op.integers(place, what, (rank,)).tolist() for place, what in _SLICE_INPUTS)
    for option in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask", "offset"):
        if op.number(option):
            raise op.unsupported(f"{option} must be 0, not {op.number(option)}")
    masks = [op.number(option) for option in ("begin_mask", "end_mask")]
    if not all(0 <= mask < 1 << rank for mask in masks):
        raise op.refuse(f"begin_mask and end_mask must be below {1 << rank}, not {masks[0]} and {masks[1]}")
    if 0 in steps:
        raise op.refuse("strides must not be 0")
    begins, ends = (
        [None if mask >> axis & 1 else number for axis, number in enumerate(numbers)]
        for mask, numbers in zip(masks, (begins, ends), strict=True)
    )
    return [slice(*bounds) for bounds in zip(begins, ends, steps, strict=True)]


_SLICE_INPUTS = ((1, "begin"), (2, "end"), (3, "strides"))


def split(op: CheckedOperator) -> Sequence[Shape]:
    """Equal parts along an axis."""
    shape, count = op.input(1).shape, _parts(op)
    axis = op.axis(int(op.integers(0, "the axis", ())[0]), len(shape))
    if shape[axis] % count:
        raise op.refuse(f"num_splits must divide the {shape[axis]} of axis {axis}, not be {count}")
    return ((*shape[:axis], shape[axis] // count, *shape[axis + 1 :]),) * count


def split_by_sizes(op: CheckedOperator) -> Sequence[Shape]:
    """Parts of given sizes along an axis; one size may be -1, for the rest."""
    shape, count = op.input().shape, _parts(op)
    axis = op.axis(int(op.integers(2, "the axis", ())[0]), len(shape))
    sizes = op.integers(1, "the sizes", (count,)).tolist()
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = shape[axis] - sum(sizes) - 1
    if min(sizes) < 1 or sum(sizes) != shape[axis]:
        raise op.refuse(f"the sizes must be from 1 and have the sum {shape[axis]}, not be {sizes[:8]}")
    return tuple((*shape[:axis], size, *shape[axis + 1 :]) for size in sizes)


def _parts(op: CheckedOperator) -> int:
    count = op.number("num_splits")
    if count != len(op.operator.outputs):
        raise op.refuse(f"num_splits must be the number of outputs, {len(op.operator.outputs)}, not {count}")
    return count


def _picture(op: CheckedOperator) -> Shape:
    shape = op.input().shape
    if len(shape) != 4:
        raise op.refuse(f"the input must be of shape (batch, height, width, channels), not {list(shape)}")
    return shape


def _filters(op: CheckedOperator) -> Shape:
    shape = op.input(1).shape
    if len(shape) != 4:
        raise op.refuse(f"the filters must be of four dimensions, not of shape {list(shape)}")
    return shape


def _check_bias(op: CheckedOperator, channels: int) -> None:
    if op.has(2) and op.input(2).shape != (channels,):
        raise op.refuse(f"the bias must be of shape {[channels]}, not {list(op.input(2).shape)}")


def _dilations(op: CheckedOperator) -> Shape:
    return op.at_least_one("dilation_h", "dilation_w")


def _windows(op: CheckedOperator, sizes: Shape, filters: Shape, dilations: Shape) -> Shape:
    """How many windows there are along height and width."""
    strides = op.at_least_one("stride_h", "stride_w")
    padding = op.number("padding")
    if padding not in (_SAME, _VALID):
        raise op.refuse(f"padding must be {_SAME} (SAME) or {_VALID} (VALID), not {padding}")
    reach = [(size - 1) * step + 1 for size, step in zip(filters, dilations, strict=True)]
    if padding == _SAME:
        return tuple(-(-size // stride) for size, stride in zip(sizes, strides, strict=True))
    if any(size < length for size, length in zip(sizes, reach, strict=True)):
        raise op.refuse(f"the filter must fit into the {sizes[0]} x {sizes[1]} cells of the input, not reach {reach}")
    return tuple((size - length) // stride + 1 for size, length, stride in zip(sizes, reach, strides, strict=True))


def check_shapes(op: CheckedOperator, rule: ShapeRule) -> None:
    """ModelError if an output has another shape in the file than its inputs and options give it."""
    for place, wanted in enumerate(rule(op)):
        found = op.output(place).shape
        if found != wanted:
            raise op.refuse(f"output {place} must be of shape {list(wanted)}, not {list(found)}")
