"""Several nodes at once: what producers make of one layer, what passes of a compiler look for, what states may do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from femtodriver.fqir.graph import Node, Table, Tensor
from tests.agree.graph_draw import Choice, Draw

_ADDRESSES = np.arange(-128, 128)


def interpolation(draw: Draw) -> None:
    """A nonlinearity as fmot lowers it: high byte, rest, two tables, product, sum; sometimes not quite."""
    _interpolated(draw, draw.value(lambda tensor: (tensor.bits or 32) in (16, 24, 32)))


def _interpolated(draw: Draw, x: Tensor) -> Tensor:
    odd = 0.1 if draw.chance(0.4) else 0.0  # a pattern that must not be taken for an interpolation

    def usual(value: int, other: int) -> int:
        return other if draw.chance(odd) else value

    high_bits, rest_bits, product_bits = usual(8, 6), usual(16, 9), usual(16, 12)
    constants = {"shamt": usual(-8, -7), "bw": high_bits, "rounded": draw.chance(odd)}
    (high,) = draw.node("shift", {"x": x}, [high_bits], constants)
    aligned = {"shamt_x": usual(0, -1), "shamt_y": usual(8, 7), "shamt_bwred": usual(0, -1)}
    constants = {**aligned, "bw": rest_bits, "rounded": draw.chance(odd)}
    (rest,) = draw.node("vvsub", {"x": draw.pick([x, high]) if draw.chance(odd) else x, "y": high}, [16], constants)
    slope, offset = (
        draw.node("lut", {"x": high}, [16], {"shamt_address": usual(0, 1), "bw_address": 8, "table": _table(draw)})[0]
        for _ in range(2)
    )
    pair = {"x": slope, "y": rest} if draw.chance(0.5) else {"x": rest, "y": slope}
    constants = {"shamt_bwred": usual(-8, -9), "bw": product_bits, "rounded": draw.chance(odd)}
    (product,) = draw.node("vvmul", pair, [16], constants)
    pair = {"x": product, "y": offset} if draw.chance(0.5) else {"x": offset, "y": product}
    bw = draw.pick([8, 16])
    alignment = {"shamt_x": draw.integer(-3, 2), "shamt_y": draw.integer(-3, 2), "shamt_bwred": draw.integer(-4, 2)}
    (result,) = draw.node("vvadd", pair, [bw], {**alignment, "bw": bw, **draw.rounded()})
    return result


def _table(draw: Draw) -> Table:
    return Table("f", _ADDRESSES, draw.array((256,), 16))


def recurrent(draw: Draw) -> None:
    """A recurrent layer: products of input and state, gates, a new state; sometimes with a second state."""
    x = draw.vector(1)
    hidden = draw.pick([4, 8, 16, 24, 32])
    gates = draw.integer(1, 4)
    state = draw.state((hidden,))
    constants = {"shamt_bias": draw.integer(0, 6), "shamt_bwred": draw.integer(-12, -5), "bw_out": 16}
    parts: list[Tensor] = []
    for value in (x, state):
        inputs = {"x": value, "y": draw.parameter((value.size, gates * hidden), draw.pick([4, 8]))}
        inputs["bias"] = draw.parameter((gates * hidden,), 16)
        parts.extend(draw.node("addmm", inputs, [16], {**constants, "rounded": draw.chance(0.5)}))
    alignment = {"shamt_x": 0, "shamt_y": draw.integer(-2, 0), "shamt_bwred": 0, "bw": 16, "rounded": False}
    (total,) = draw.node("vvadd", {"x": parts[0], "y": parts[1]}, [16], alignment)
    pieces = draw.node("chunk", {"x": total}, [16] * gates, {"chunks": gates, "dim": -1})
    values = [_interpolated(draw, piece) if draw.chance(0.6) else piece for piece in pieces]
    new = values[0]
    for value in values[1:]:
        scale = {"shamt_bwred": draw.integer(-15, -8), "bw": 16, "rounded": False}
        (new,) = draw.node("vvmul", {"x": new, "y": value}, [16], scale)
    draw.add(Node("", "assign", {"y": state, "x": new}, ()))
    draw.update(state, 16)


def swap(draw: Draw) -> None:
    """States that are assigned to each other in a row: no swap, since each assignment acts at once."""
    states = list(draw.store.states.values())
    if not states:
        return
    state = draw.pick(states)
    family = [other for other in states if other.shape == state.shape]
    if len(family) < 2:
        family.append(draw.state(state.shape))
    for _ in range(draw.integer(2, 4)):
        one, other = draw.pick(family), draw.pick(family)
        if draw.chance(0.3):
            draw.node("copy", {"x": one}, [one.bits or 32])
        draw.add(Node("", "assign", {"y": one, "x": other}, ()))
        draw.update(one, other.bits or 32)


def chain(draw: Draw) -> None:
    """Elementwise work on a long vector and slices of it, as in transforms."""
    x = draw.like((draw.pick([32, 48, 64, 130, 600]),))
    for _ in range(draw.integer(1, 3)):
        half = x.size // 2
        low, high = draw.node("split", {"x": x}, [16, 16], {"lengths": (half, x.size - half), "dim": 0})
        if low.shape != high.shape:
            return
        alignment = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": -1, "bw": 16, "rounded": False}
        (total,) = draw.node("vvadd", {"x": low, "y": high}, [16], alignment)
        (rest,) = draw.node("vvsub", {"x": low, "y": high}, [16], alignment)
        scale = {"shamt_bwred": -15, "bw": 16, "rounded": True}
        (turned,) = draw.node("vvmul", {"x": rest, "y": draw.parameter(rest.shape, 16)}, [16], scale)
        (x,) = draw.node("cat", {"x0": total, "x1": turned}, [16], {"dim": 0})


def butterflies(draw: Draw) -> None:
    """Equal small operations on parts of a vector, as in a transform; the parts come back in another order."""
    parts = draw.pick([3, 4, 4, 6, 8])
    size = draw.pick([1, 4, 8, 8, 12, 16])
    x = draw.like((parts * size,))
    pieces = list(draw.node("chunk", {"x": x}, [16] * parts, {"chunks": parts, "dim": 0}))
    for _ in range(draw.integer(1, 3)):
        order = draw.generator.permutation(parts)
        kind, bw = draw.pick(["vvadd", "vvsub", "vvmul", "vimul", "shift", "vvmax", "lut"]), draw.pick([8, 16])
        constants = _equal_constants(draw, kind, bw)
        coefficient = draw.parameter((size,), 16)
        made: list[Tensor] = []
        for piece, other in zip(pieces, order, strict=True):
            inputs = {"x": piece}
            if kind.startswith("vv"):
                partner = pieces[other] if draw.chance(0.7) else draw.pick([coefficient, draw.like((size,))])
                inputs["y"] = partner if partner.shape == (size,) else piece
            made.extend(draw.node(kind, inputs, [16], constants))
        pieces = [made[index] for index in order] if draw.chance(0.5) else made
    draw.node("cat", {f"x{index}": piece for index, piece in enumerate(pieces)}, [16], {"dim": 0})


def blocks(draw: Draw) -> None:
    """The same small matrix with each part of a vector, as in transforms and pointwise convolutions."""
    parts, columns = draw.pick([2, 3, 5, 8]), draw.pick([1, 4, 8, 8, 12])
    rows = draw.pick([8, 8, 16, 6])
    x = draw.like((parts * columns,))
    pieces = draw.node("chunk", {"x": x}, [x.bits or 32] * parts, {"chunks": parts, "dim": 0})
    weights = draw.parameter((columns, rows), draw.pick([4, 8]))
    bias = draw.parameter((rows,), 16) if draw.chance(0.5) else None
    constants = {"shamt_bwred": draw.shift(-12, 0), "bw_out": draw.pick([8, 16]), **draw.rounded()}
    made: list[Tensor] = []
    for piece in pieces:
        other = draw.chance(0.1)  # a product of its own between the equal ones
        y = draw.parameter((columns, rows), 4) if other else weights
        if bias is None:
            made.extend(draw.node("matmul", {"x": piece, "y": y}, [16], constants))
        else:
            made.extend(draw.node("addmm", {"x": piece, "y": y, "bias": bias}, [16], {**constants, "shamt_bias": 1}))
    draw.node("cat", {f"x{index}": piece for index, piece in enumerate(made)}, [16], {"dim": 0})


def rectified(draw: Draw) -> None:
    """A saturated result and its ReLU; sometimes somebody else reads the result as well."""
    x = draw.vector(1)
    alignment = {
        "shamt_x": 0,
        "shamt_y": draw.integer(-2, 1),
        "shamt_bwred": draw.integer(-2, 1),
        "bw": draw.pick([8, 16]),
    }
    pair = {"x": x, "y": draw.like(x.shape)}
    (total,) = draw.node(draw.pick(["vvadd", "vvsub"]), pair, [16], {**alignment, **draw.rounded()})
    if draw.chance(0.2):
        draw.node("vneg", {"x": total}, [16], {"bw": 16})
    draw.node("relu", {"x": total}, [16])


def _equal_constants(draw: Draw, kind: str, bw: int) -> dict[str, object]:
    if kind == "lut":
        return {"shamt_address": 0, "bw_address": 8, "table": _table(draw)}
    if kind == "vvmax":
        return {}
    if kind == "shift":
        return {"shamt": draw.shift(), "bw": bw, **draw.rounded()}
    if kind == "vimul":
        return {"y": draw.immediate(), "shamt_bwred": draw.shift(-16, 0), "bw": bw, **draw.rounded()}
    if kind == "vvmul":
        return {"shamt_bwred": draw.shift(-16, 0), "bw": bw, **draw.rounded()}
    alignment = {"shamt_x": draw.integer(-2, 1), "shamt_y": draw.integer(-2, 1), "shamt_bwred": draw.integer(-2, 1)}
    return {**alignment, "bw": bw, **draw.rounded()}


def assignments(draw: Draw) -> None:
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
    _, kept = draw.node("split", {"x": state}, [state.bits or 32] * 2, lengths)
    order = {"x0": kept, "x1": fresh} if draw.chance(0.8) else {"x0": fresh, "x1": kept}
    (moved,) = draw.node("cat", order, [max(kept.bits or 32, fresh.bits or 32)], {"dim": 0})
    _assign(draw, state, moved)


def delay_line(draw: Draw) -> None:
    """A delay line of whole frames: values of some frames ago meet those of this one, then the line moves on."""
    width, depth = draw.pick([3, 4, 8, 8, 12, 16]), draw.pick([1, 2, 3, 4, 6])
    line, fresh = draw.state((depth * width,)), draw.like((width,))
    taps = draw.node("chunk", {"x": line}, [line.bits or 32] * depth, {"chunks": depth, "dim": 0})
    for tap in taps:
        scale = {"shamt_bwred": draw.shift(-16, 0), "bw": 16, **draw.rounded()}
        if draw.chance(0.6):
            draw.node("vvmul", {"x": tap, "y": draw.pick([fresh, draw.parameter((width,), 16)])}, [16], scale)
    if draw.chance(0.5):
        inputs = {"x": line, "y": draw.parameter((line.size, draw.pick([4, 9])), 8)}
        draw.node("matmul", inputs, [16], {"shamt_bwred": draw.shift(-14, 1), "bw_out": 16, **draw.rounded()})
    lengths = {"lengths": (width, line.size - width), "dim": 0}
    _, kept = draw.node("split", {"x": line}, [line.bits or 32] * 2, lengths)
    bits = max(line.bits or 32, fresh.bits or 32)
    (moved,) = draw.node("cat", {"x0": kept, "x1": fresh}, [bits], {"dim": 0})
    _assign(draw, line, moved)


def _assign(draw: Draw, state: Tensor, value: Tensor) -> None:
    if value.shape == state.shape:
        draw.node("assign", {"y": state, "x": value}, [])
        draw.update(state, value.bits or 32)


def copies(draw: Draw) -> None:
    """The copy of a copy of a value."""
    x = draw.value()
    for _ in range(draw.integer(2, 3)):
        (x,) = draw.node("copy", {"x": x}, [x.bits or 32])


def repeated(draw: Draw) -> None:
    """One element, repeated by a product with ones, as producers write it."""
    count, bw = draw.integer(1, 20), draw.width()
    inputs = {"x": draw.like((1,)), "y": draw.parameter((1, count), 8, np.ones((1, count), np.int64))}
    draw.node("matmul", inputs, [bw], {"shamt_bwred": draw.shift(-14, 1), "bw_out": bw, **draw.rounded()})


def permutations(draw: Draw) -> None:
    """A product whose outputs one or two others bring into another order, seldom with a sign or a gap."""
    x, size = draw.vector(1), draw.pick([8, 12, 16, 24])
    weights = draw.parameter((x.size, size), draw.pick([4, 8]))
    if draw.chance(0.1):
        weights = draw.parameter(weights.shape, 8, np.zeros(weights.shape, np.int64))
    scale = {"shamt_bwred": draw.shift(-14, 1), "bw_out": 16, **draw.rounded()}
    (value,) = draw.node("matmul", {"x": x, "y": weights}, [16], scale)
    for _ in range(draw.pick([1, 1, 2])):
        doublings = draw.integer(0, 6)
        order = np.eye(size, dtype=np.int64)[:, draw.generator.permutation(size)] << doublings
        if draw.chance(0.3):
            order[:, 0] *= draw.pick([0, -1])
        inputs = {"x": value, "y": draw.parameter((size, size), 8, order)}
        (value,) = draw.node("matmul", inputs, [16], {"shamt_bwred": -doublings, "bw_out": 16, **draw.rounded()})


def sums(draw: Draw) -> None:
    """A long vector is added up, as norms are; seldom one element counts more."""
    x = draw.like((draw.pick([40, 64, 70, 130, 300]),))
    weights = np.full((x.size, 1), draw.pick([1, 1, -1, 7, -8]))
    if draw.chance(0.1):
        weights[draw.integer(0, x.size - 1)] = 3
    scale = {"shamt_bwred": draw.shift(-10, 1), "bw_out": draw.pick([16, 24]), **draw.rounded()}
    draw.node("matmul", {"x": x, "y": draw.parameter(weights.shape, 8, weights)}, [scale["bw_out"]], scale)


def elementwise(draw: Draw) -> None:
    """Differences from one, magnitudes and comparisons as producers write them."""
    x = draw.value(lambda tensor: (tensor.bits or 32) <= 16)
    plain = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "rounded": False}
    (negative,) = draw.node("vneg", {"x": x}, [16], {"bw": 16})
    constants = {"shamt_x": draw.integer(-3, 1), "shamt_y": 0, "shamt_bwred": draw.integer(-3, 2), "bw": 16}
    draw.node(
        "viadd", {"x": negative}, [16], {"y": draw.pick([1, 256, 16384, 40000, -7]), **constants, **draw.rounded()}
    )
    (y,) = draw.node("viadd", {"x": x}, [16], {"y": draw.integer(-9, 9), **plain})
    parts: list[Tensor] = []
    for value in (y, draw.node("vneg", {"x": y}, [16], {"bw": 16})[0]):
        parts.extend(draw.node("relu", {"x": value}, [16], {}))
    (size,) = draw.node("vvadd", {"x": parts[0], "y": parts[1]}, [16], plain)
    (difference,) = draw.node("vvsub", {"x": size, "y": draw.like(x.shape, 16)}, [16], plain)
    draw.node("gt0", {"x": difference}, [8], {"bw": 8})


PATTERNS: Mapping[str, Choice] = {
    "(interpolation)": Choice(interpolation, 0.5),
    "(recurrent)": Choice(recurrent, 0.3),
    "(swap)": Choice(swap, 0.3),
    "(chain)": Choice(chain, 0.15),
    "(butterflies)": Choice(butterflies, 0.6),
    "(blocks)": Choice(blocks, 1.5),
    "(rectified)": Choice(rectified, 1.5),
    "(assignments)": Choice(assignments, 2.0),
    "(delay line)": Choice(delay_line, 1.0),
    "(permutations)": Choice(permutations, 0.4),
    "(sums)": Choice(sums, 0.3),
    "(elementwise)": Choice(elementwise, 1.0),
    "(copies)": Choice(copies, 0.1),
    "(repeated)": Choice(repeated, 0.1),
}
