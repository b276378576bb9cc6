"""The verbs with which operators lower themselves to FMIR operations on ropes (immutable views of buffers)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.fmir.element_widths import storage_bits, value_bits
from femtodriver.compiler.fmir.interpreter import apply_vec
from femtodriver.compiler.fmir.ir import (
    Buffer,
    Look,
    Mac,
    Matrix,
    Op,
    Post,
    Products,
    Role,
    Vec,
    View,
)
from femtodriver.compiler.fmir.source_layer import SourceLayer
from femtodriver.compiler.frontend import ropes
from femtodriver.compiler.frontend.ropes import Rope
from femtodriver.compiler.frontend.simplify import simplified, unchanged
from femtodriver.errors import ModelError, UnsupportedError
from femtodriver.isa import Result, fits_immediate, limits

# A rope of many short views is gathered into one buffer before a matrix reads it.
_SHORT_VIEW = 4
# A right shift by more gives the same, a left shift by more gives zero.
_MOST_RIGHT, _MOST_LEFT = limits.ACCUMULATOR_BITS - 1, limits.MAX_SHIFT


class OperationBuilder:
    """Buffers, matrices, tables and operations under construction; equal operations are built once, with ``reuse``.

    ``wide_elements``: how many elements a result of more than 32 bits may have, which only accumulators hold.
    ``simplify``: build cheaper operations that give the same.
    """

    def __init__(self, wide_elements: int, *, reuse: bool = True, simplify: bool = True) -> None:
        self.wide_elements = wide_elements
        self._reuse, self._simplify = reuse, simplify
        self.buffers: dict[str, Buffer] = {}
        self.matrices: dict[str, Matrix] = {}
        self.tables: dict[str, Int64Array] = {}
        self.ops: list[Op] = []
        self.layers: list[SourceLayer] = []
        self.where = "the network"  # names the node in errors
        self._known: dict[object, Rope] = {}
        self._shared: dict[bytes, str] = {}
        self.follows: dict[str, set[str]] = {}  # buffer -> buffers whose element width it must have, if that grows

    def forget(self) -> None:
        """Build equal operations again from now on: the buffers that they read may have changed."""
        self._known.clear()

    def constant(self, values: Int64Array) -> Rope:
        """A constant vector (stored once per content)."""
        values = np.ascontiguousarray(values, np.int64).reshape(-1)
        if not values.size:
            return ()
        key = b"const" + values.tobytes()
        if key not in self._shared:
            name = f"const{len(self._shared)}"
            self.buffers[name] = Buffer(name, len(values), storage_bits(value_bits(values)), Role.CONST, init=values)
            self._shared[key] = name
        return (View(self._shared[key], 0, len(values)),)

    def known(self, value: Rope) -> Int64Array | None:
        """The elements of a value that is the same in every frame, else None."""
        parts = []
        for view in value:
            buffer = self.buffers[view.buffer]
            if buffer.role is not Role.CONST or buffer.init is None or view.cursor:
                return None
            parts.append(
                buffer.init[view.offset : view.end] if view.step else np.full(view.length, buffer.init[view.offset])
            )
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def vec(
        self,
        op: str,
        a: Rope | int,
        b: Rope | int = 0,
        *,
        shift_a: int = 0,
        shift_b: int = 0,
        shift: int = 0,
        rounded: bool = False,
        saturate: int | None = None,
        low: int | None = None,
    ) -> Rope:
        """Elementwise operation; a rope of one element goes with every element of the other operand."""
        post = _post(max(shift, -_MOST_RIGHT), rounded, saturate, low)
        shift_a, shift_b = max(shift_a, -_MOST_RIGHT), max(shift_b, -_MOST_RIGHT)
        sizes = [ropes.length(value) for value in (a, b) if not isinstance(value, int)]
        size = 0 if 0 in sizes else max(sizes)
        if not size:
            return ()
        zeros = self.spread(self.constant(np.zeros(1, np.int64)), size)
        if shift > _MOST_LEFT:
            return zeros
        a, shift_a = (zeros, 0) if shift_a > _MOST_LEFT else (a, shift_a)
        b, shift_b = (zeros, 0) if shift_b > _MOST_LEFT else (b, shift_b)
        a, b = self._operand(a, size), self._operand(b, size)
        template = Vec(op, View("", 0, size), 0, 0, shift_a, shift_b, post)
        if self._simplify:
            template, a, b = simplified(template, a, b, self._number, self.bits)
            same = unchanged(template, a, b, self._number, self.bits)
            if same is not None:
                return same
        key = (template, a, b)
        if key not in self._known:
            result = self._fold(template, a, b, size) or self._emit_vec(template, a, b, size)
            if not self._reuse or self.bits(result) == limits.ACCUMULATOR_BITS:  # wide ones would hold accumulators
                return result
            self._known[key] = result
        return self._known[key]

    def look(self, x: Rope, table: Int64Array, *, shift_a: int = 0, bits: int = 8) -> Rope:
        """Table look-up; ``table`` has 2**bits values of at most 16 bits, lowest address first."""
        if value_bits(table) > limits.TABLE_WORD_BITS:
            raise UnsupportedError(
                f"{self.where}: values of the table must fit {limits.TABLE_WORD_BITS} bits, not {value_bits(table)}. "
                "Scale them down, and shift what is looked up."
            )
        key = b"table" + table.tobytes()
        if not x:
            return ()
        name = self._shared.setdefault(key, f"table{len(self.tables)}")
        self.tables[name] = table
        known = ("look", name, x, shift_a, bits)
        if not self._reuse:
            self._known.pop(known, None)
        if known not in self._known:
            dst = self.new(ropes.length(x), storage_bits(value_bits(table)))
            for first, end in ropes.aligned([x]):
                source = self.contiguous(ropes.part(x, first, end))
                self.ops.append(Look(dst.part(first, end), source, name, shift_a, bits, self.layer))
            self._known[known] = (dst,)
        return self._known[known]

    def mac(
        self,
        parts: Sequence[tuple[Int64Array, Rope]],
        bias: Rope | int = 0,
        *,
        bias_shift: int = 0,
        shift: int = 0,
        rounded: bool = False,
        saturate: int = 32,
        repeat: int = 1,
    ) -> Rope:
        """Sum of matrix products; each part is weights (columns, rows) and a rope of ``columns`` elements.

        With ``repeat``, of so many vectors side by side in each rope.
        """
        post = _post(shift, rounded, saturate, None)
        rows = parts[0][0].shape[1]
        if not rows:
            return ()
        products: list[tuple[str, View]] = []
        for weights, x in parts:
            if len(x) > 1 and any(view.length < _SHORT_VIEW or not view.step for view in x):
                x = (self.contiguous(x),)
            if repeat > 1:
                products.append((self._matrix(weights), self.contiguous(x)))
                continue
            position = 0
            for view in (piece for whole in x for piece in _reachable(whole)):
                columns = weights[position : position + view.length]
                position += view.length
                if self._simplify and not columns.any():
                    continue
                source = view if view.step else self.contiguous((view,))
                products.append((self._matrix(columns), source))
        start = bias if isinstance(bias, int) else self._scalar_or_view(bias)
        if not products:
            return self.vec(
                "vpass",
                self._spread_bias(bias, rows * repeat),
                shift_a=bias_shift,
                shift=shift,
                rounded=rounded,
                saturate=saturate,
            )
        dst = self.new(rows * repeat, storage_bits(post.bits))
        self.ops.append(Mac(dst, tuple(products), start, bias_shift, post, self.layer, repeat=repeat))
        return (dst,)

    def products(self, factors: Sequence[tuple[Rope, Rope]], bias: Rope | int = 0, *, saturate: int = 32) -> Rope:
        """Sum of elementwise products and a bias; all ropes are of one length."""
        ropes_read = [rope for pair in factors for rope in pair] + ([] if isinstance(bias, int) else [bias])
        size = ropes.length(ropes_read[0])
        dst = self.new(size, storage_bits(saturate))
        for first, end in ropes.aligned(ropes_read):
            pairs = [[self.contiguous(ropes.part(rope, first, end)) for rope in pair] for pair in factors]
            start = bias if isinstance(bias, int) else self._scalar_or_view(ropes.part(bias, first, end))
            post = _post(0, False, saturate, None)
            self.ops.append(Products(dst.part(first, end), tuple((a, b) for a, b in pairs), start, 0, post, self.layer))
        return (dst,) if size else ()

    def _spread_bias(self, bias: Rope | int, rows: int) -> Rope:
        return self.spread(self.constant(np.array([bias])), rows) if isinstance(bias, int) else bias

    def take(self, value: Rope, indices: Int64Array) -> Rope:
        """The elements at these indices, in their order (row-major)."""
        return ropes.take(value, [int(index) for index in indices.reshape(-1)])

    def contiguous(self, value: Rope) -> View:
        """The value as one view with step 1; copies when it is scattered."""
        if len(value) == 1 and value[0].step:
            return value[0]
        return self.gathered(value)

    def in_one_piece(self, value: Rope) -> Rope:
        """The value as one view; copied if it is scattered."""
        return (self.contiguous(value),) if value else ()

    def gathered(self, value: Rope) -> View:
        """A copy of the value in one piece; the same one if asked for again."""
        key = ("copy", value)
        if not self._reuse or key not in self._known:
            dst = self.new_like(ropes.length(value), value)
            self.copy(dst, value)
            self._known[key] = (dst,)
        return self._known[key][0]

    def cat(self, values: Sequence[Rope]) -> Rope:
        """Concatenation."""
        return ropes.join(values)

    def size(self, value: Rope) -> int:
        """Number of elements."""
        return ropes.length(value)

    def part(self, value: Rope, first: int, end: int) -> Rope:
        """Elements [first, end)."""
        return ropes.part(value, first, end)

    def spread(self, value: Rope, count: int) -> Rope:
        """One element, ``count`` times."""
        return ropes.spread(value, count)

    @property
    def layer(self) -> int:
        """Index of the layer that operations belong to now."""
        return max(len(self.layers) - 1, 0)

    def new(self, length: int, bits: int, role: Role = Role.TEMP, stem: str = "t") -> View:
        """A fresh buffer."""
        name = f"{stem}{len(self.buffers)}"
        self.buffers[name] = Buffer(name, length, bits, role)
        return View(name, 0, length)

    def new_like(self, length: int, *values: Rope, role: Role = Role.TEMP, stem: str = "t") -> View:
        """A fresh buffer as wide as the widest of these values."""
        view = self.new(length, max(self.bits(value) for value in values), role, stem)
        self.follow(view, *values)
        return view

    def follow(self, view: View, *values: Rope) -> None:
        """The view's buffer must be as wide as these values, also if they turn out to be wider."""
        self.follows.setdefault(view.buffer, set()).update(part.buffer for value in values for part in value)

    def _operand(self, value: Rope | int, size: int) -> Rope | int:
        if isinstance(value, int):
            return value if fits_immediate(value) else self.spread(self.constant(np.array([value])), size)
        if ropes.length(value) == size:
            return value
        if ropes.length(value) != 1:
            raise ModelError(f"operands: must have equal lengths or one element, not {ropes.length(value)} and {size}.")
        return self.spread(value, size)

    def _scalar_or_view(self, value: Rope) -> View | int:
        known = self.known(value)
        if known is not None and known.size and (known == known[0]).all() and fits_immediate(int(known[0])):
            return int(known[0])
        return self.contiguous(value) if not (len(value) == 1 and not value[0].step) else value[0]

    def _number(self, value: Rope | int) -> int | None:
        """The value of all elements, if it is the same in every frame and for all of them."""
        if isinstance(value, int):
            return value
        known = self.known(value)
        return int(known[0]) if known is not None and known.size and (known == known[0]).all() else None

    def _one_view(self, value: Rope) -> Rope:
        return value if len(value) == 1 else (self.contiguous(value),)

    def _fold(self, template: Vec, a: Rope | int, b: Rope | int, size: int) -> Rope | None:
        """The constant result when both operands are constants."""
        known = [np.array([value]) if isinstance(value, int) else self.known(value) for value in (a, b)]
        if known[0] is None or known[1] is None:
            return None
        folded = apply_vec(template, known[0], known[1])
        # No memory holds a wider constant: it is computed where it is used.
        if value_bits(folded) > limits.MAX_ELEMENT_BITS:
            return None
        return self.constant(np.broadcast_to(folded, (size,)))

    def _emit_vec(self, template: Vec, a: Rope | int, b: Rope | int, size: int) -> Rope:
        bits = self._result_bits(template, a, b)
        # Values in accumulators must not be cut between whole rows.
        if limits.ACCUMULATOR_BITS in (bits, self.bits(a), self.bits(b)):
            a, b = (value if isinstance(value, int) else self._one_view(value) for value in (a, b))
        dst = self.new(size, bits)
        if self._keeps_width(template):
            self.follow(dst, *(value for value in (a, b) if not isinstance(value, int)))
        ranges = ropes.aligned([value for value in (a, b) if not isinstance(value, int)])
        cuts = [[value] * len(ranges) if isinstance(value, int) else ropes.cut(value, ranges) for value in (a, b)]
        for (first, end), *parts in zip(ranges, *cuts, strict=True):
            pieces = [part if isinstance(part, int) else self._scalar_or_view(part) for part in parts]
            self.ops.append(
                Vec(
                    template.op,
                    dst.part(first, end),
                    pieces[0],
                    pieces[1],
                    template.shift_a,
                    template.shift_b,
                    template.post,
                    self.layer,
                )
            )
        return (dst,)

    def _result_bits(self, template: Vec, a: Rope | int, b: Rope | int) -> int:
        result, post = template.spec.result, template.post
        if post.clip == "saturate":
            return storage_bits(post.bits)
        if post.clip == "low":
            return storage_bits(post.bits + 1)
        if result is Result.TRUTH and post.shift <= 0:
            return limits.ELEMENT_BITS[0]
        if self._keeps_width(template):
            return max(self.bits(a), self.bits(b))
        return limits.ACCUMULATOR_BITS

    @staticmethod
    def _keeps_width(template: Vec) -> bool:
        """Whether the result is as wide as the wider operand."""
        free = template.post.clip == "none" and template.spec.result is Result.OPERAND
        return free and max(template.shift_a, template.shift_b, template.post.shift) <= 0

    def bits(self, value: Rope | int) -> int:
        """Width of the memory elements (or accumulators) that hold a value."""
        if isinstance(value, int):
            return storage_bits(value_bits(np.array([value])))
        return max((self.buffers[view.buffer].bits for view in value), default=limits.ELEMENT_BITS[0])

    def copy(self, dst: View, value: Rope) -> None:
        """Copy the value into ``dst``, piece by piece."""
        position = 0
        for view in value:
            target = dst.part(position, position + view.length)
            if target != view:
                self.ops.append(Vec("vpass", target, view, layer=self.layer))
            position += view.length

    def _matrix(self, weights: Int64Array) -> str:
        weights = np.ascontiguousarray(weights)
        bits = next((width for width in limits.WEIGHT_BITS if value_bits(weights) <= width), 0)
        if not bits:
            raise UnsupportedError(
                f"{self.where}: weights must fit {limits.WEIGHT_BITS[-1]} bits, not {value_bits(weights)}. "
                "Quantize them to 4, 8 or 16 bits, or split the matrix into two."
            )
        key = b"matrix%d,%d" % weights.shape + weights.tobytes()
        name = self._shared.setdefault(key, f"m{len(self.matrices)}")
        if name not in self.matrices:
            self.matrices[name] = Matrix(name, weights, bits)
        return name


def _reachable(view: View) -> list[View]:
    """The view in pieces that one matrix instruction can take."""
    starts = range(0, view.length, limits.MAX_MATRIX_COLUMNS)
    return [view.part(first, min(first + limits.MAX_MATRIX_COLUMNS, view.length)) for first in starts]


def _post(shift: int, rounded: bool, saturate: int | None, low: int | None) -> Post:
    if saturate is not None:
        return Post(shift, rounded and shift < 0, "saturate", saturate)
    if low is not None:
        return Post(shift, rounded and shift < 0, "low", low)
    return Post(shift, rounded and shift < 0)
