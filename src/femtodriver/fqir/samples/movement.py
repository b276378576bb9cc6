"""Samplers of operators that move data, make constants, or keep state."""

from __future__ import annotations

from functools import partial

from femtodriver.fqir.graph import Tensor
from femtodriver.fqir.samples.draw import Draw, Sampler


def _axis(draw: Draw, rank: int) -> int:
    axis = draw.integer(0, rank - 1)
    return axis - rank if draw.chance(0.5) else axis


def _bits(*tensors: Tensor) -> int:
    return max(tensor.bits or 32 for tensor in tensors)


def same(draw: Draw, op: str) -> None:
    """copy: a value again, sometimes the copy of a copy."""
    x = draw.value()
    for _ in range(draw.pick([1, 1, 1, 2, 3])):
        (x,) = draw.node(op, {"x": x}, [_bits(x)])


def cat(draw: Draw) -> None:
    """A concatenation: vectors of any lengths, or matrices that agree apart from one axis."""
    first = draw.value(lambda tensor: len(tensor.shape) > 0)
    count = draw.pick([1, 2, 2, 3, 5])
    if len(first.shape) == 1:
        parts = [first, *(draw.vector() for _ in range(count - 1))]
    else:
        parts = [first, *(draw.like(first.shape) for _ in range(count - 1))]
    inputs = {f"x{index}": part for index, part in enumerate(parts)}
    draw.node("cat", inputs, [_bits(*parts)], {"dim": _axis(draw, len(first.shape))})


def split(draw: Draw) -> None:
    """Slices of any lengths, empty ones too."""
    x = draw.value(lambda tensor: len(tensor.shape) > 0)
    rest, lengths = x.shape[0], []
    for _ in range(draw.integer(0, 3)):
        lengths.append(draw.integer(0, rest))
        rest -= lengths[-1]
    lengths.append(rest)
    draw.node("split", {"x": x}, [_bits(x)] * len(lengths), {"lengths": tuple(lengths), "dim": draw.pick([-1, 0, 1])})


def chunk(draw: Draw) -> None:
    """Near-equal parts, uneven or even empty."""
    x = draw.value(lambda tensor: len(tensor.shape) > 0)
    count = draw.pick([1, 2, 2, 3, 4, 7])
    draw.node("chunk", {"x": x}, [_bits(x)] * count, {"chunks": count, "dim": _axis(draw, len(x.shape))})


def stack(draw: Draw) -> None:
    """Values side by side."""
    first = draw.value(lambda tensor: len(tensor.shape) < 3)
    parts = [first, *(draw.like(first.shape) for _ in range(draw.integer(0, 2)))]
    inputs = {f"x{index}": part for index, part in enumerate(parts)}
    draw.node("stack", inputs, [_bits(*parts)], {"dim": _axis(draw, len(first.shape) + 1)})


def reshape(draw: Draw) -> None:
    """Another shape of the same elements."""
    x = draw.value()
    rows = draw.pick([count for count in range(1, 9) if x.size % count == 0])
    shapes = [(x.size,), (rows, x.size // rows), (rows, x.size // rows)]
    if x.size:
        shapes += [(-1,), (rows, -1), (1, -1)]
    if x.size == 1:
        shapes.append(())
    draw.node("reshape", {"x": x}, [_bits(x)], {"shape": draw.pick(shapes)})


def transpose(draw: Draw) -> None:
    """A swap of axes, or of none."""
    x = draw.value(lambda tensor: len(tensor.shape) == 2)
    if len(x.shape) > 2:
        return
    draw.node("transpose", {"x": x}, [_bits(x)], {"dim0": 0, "dim1": 1})


def constant_like(draw: Draw) -> None:
    """A constant of the shape of a value."""
    draw.node("constant_like", {"x": draw.value()}, [32], {"imm": draw.immediate()})


def fill(draw: Draw, op: str) -> None:
    """zeros, constant."""
    constants = {"shape": draw.shape(), "value": draw.immediate()}
    if op == "zeros":
        del constants["value"]
    draw.node(op, {}, [32], constants)


def assign(draw: Draw) -> None:
    """A state, seldom another value, is written; or several as in a swap."""
    targets = draw.store.states if draw.chance(0.9) and draw.store.states else draw.values
    if not targets:
        return
    for _ in range(draw.pick([1, 1, 2, 3])):
        state = draw.pick(list(targets.values()))
        if draw.chance(0.4) and state.shape:
            _delay(draw, state)
        else:
            _assign(draw, state, draw.like(state.shape))


def _delay(draw: Draw, state: Tensor) -> None:
    """A delay line: the state without its oldest elements, and new ones."""
    size = state.shape[0]
    new = draw.integer(0, min(size, 4))
    fresh = draw.like((new, *state.shape[1:]))
    lengths = {"lengths": (new, size - new), "dim": 0}
    _, kept = draw.node("split", {"x": state}, [_bits(state)] * 2, lengths)
    order = {"x0": kept, "x1": fresh} if draw.chance(0.8) else {"x0": fresh, "x1": kept}
    (moved,) = draw.node("cat", order, [_bits(kept, fresh)], {"dim": 0})
    _assign(draw, state, moved)


def _assign(draw: Draw, state: Tensor, value: Tensor) -> None:
    if value.shape == state.shape:
        draw.node("assign", {"y": state, "x": value}, [])
        draw.update(state, _bits(value))


def unfold(draw: Draw) -> None:
    """The last frames of a vector side by side."""
    x = draw.value(lambda tensor: len(tensor.shape) == 1 and tensor.size < 40, (draw.integer(1, 9),))
    kernel, dilation = draw.integer(1, 5), draw.integer(1, 3)
    rows = (kernel - 1) * dilation
    buffer = draw.state((rows * x.size,))
    constants = {"kernel_size": kernel, "dilation": dilation, "buffer_length": rows}
    draw.node("temporal_unfold", {"x": x, "buffer": buffer}, [_bits(x, buffer)], constants)
    if draw.chance(0.3):
        draw.update(buffer, _bits(x, buffer))


SAMPLERS: dict[str, tuple[Sampler, float]] = {
    "copy": (partial(same, op="copy"), 0.5),
    "cat": (cat, 2.0),
    "split": (split, 1.5),
    "chunk": (chunk, 1.0),
    "stack": (stack, 0.3),
    "reshape": (reshape, 0.3),
    "transpose": (transpose, 0.2),
    "constant_like": (constant_like, 0.2),
    "zeros": (partial(fill, op="zeros"), 0.2),
    "constant": (partial(fill, op="constant"), 0.2),
    "assign": (assign, 2.0),
    "temporal_unfold": (unfold, 0.7),
}
