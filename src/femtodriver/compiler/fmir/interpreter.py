"""The meaning of FMIR: executes the operations one by one on plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Float64Array, Int64Array
from femtodriver.compiler.fmir.ir import Delay, Fmir, If, Interp, Look, Loop, Mac, Op, Post, Products, Simple, Vec, View
from femtodriver.isa import SPECS
from femtodriver.isa.limits import INTERPOLATION_ADDRESS_BITS

Run = Callable[[], None]
_EXACT_BITS = 53


def apply_post(values: Int64Array, post: Post) -> Int64Array:
    """Shift, round and clip a result."""
    values = fixed.round_shift(values, post.shift, post.rounded)
    if post.clip == "saturate":
        return fixed.saturate(values, post.bits)
    if post.clip == "positive":
        return np.maximum(fixed.saturate(values, post.bits), 0)
    if post.clip == "low":
        return fixed.low_bits(values, post.bits)
    return values


def apply_vec(op: Vec, a: Int64Array, b: Int64Array) -> Int64Array:
    """The result of a ``Vec`` for operand values."""
    meaning = SPECS[op.op].meaning
    if meaning is None:
        raise KeyError(op.op)
    return apply_post(meaning(fixed.shift(a, op.shift_a), fixed.shift(b, op.shift_b)), op.post)


class FmirExecutor:
    """Runs a mapped network frame by frame; state carries over. Arrays are int64 of shape (elements,)."""

    def __init__(self, fmir: Fmir) -> None:
        self.fmir = fmir
        self.cursors: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        """Initial state and constants; everything else zero."""
        self.memory = {
            name: np.zeros(buffer.length, np.int64) if buffer.init is None else buffer.init.copy()
            for name, buffer in self.fmir.buffers.items()
        }
        self._frame = self._prepare_all(self.fmir.ops)

    def step(self, inputs: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
        """One frame. Inputs of any shape with the right number of elements, row by row; outputs are flat."""
        for port in self.fmir.inputs:
            self.memory[port.buffer][...] = inputs[port.name].reshape(-1)
        self._frame()
        return {port.name: self.memory[port.buffer].copy() for port in self.fmir.outputs}

    def internals(self) -> dict[str, Int64Array]:
        """Values of the FQIR tensors that are kept."""
        return {name: self.memory[buffer].copy() for name, buffer in self.fmir.kept.items()}

    def has_state(self, name: str) -> bool:
        """Whether every element of the state is somewhere."""
        state = self.fmir.states[name]
        found = np.zeros(state.length, np.bool_)
        for part in state.parts_in(self.memory):
            found[part.first : part.first + part.length] = True
        return bool(found.all())

    def state(self, name: str) -> Int64Array:
        """The elements of such a state."""
        state = self.fmir.states[name]
        found = np.zeros(state.length, np.int64)
        for part in state.parts_in(self.memory):
            here = self.memory[part.buffer][part.offset : part.offset + part.length]
            found[part.first : part.first + part.length] = here
        return found

    def set_state(self, name: str, values: Int64Array) -> None:
        """Give a state other values, inside its range, between two frames, shape (elements,)."""
        for part in self.fmir.states[name].parts_in(self.memory):
            here = self.memory[part.buffer][part.offset : part.offset + part.length]
            here[...] = values[part.first : part.first + part.length]

    def _array(self, view: View) -> Callable[[], Int64Array]:
        """A function that gives the live elements of a view."""
        memory = self.memory[view.buffer]
        if not view.cursor:
            fixed_part = memory[view.offset : view.end]
            return lambda: fixed_part

        def moving() -> Int64Array:
            first = self.cursors[view.cursor] + view.offset
            return memory[first : first + view.end - view.offset]

        return moving

    def _operand(self, operand: View | int) -> Callable[[], Int64Array]:
        if isinstance(operand, View):
            return self._array(operand)
        constant = np.array([operand], np.int64)
        return lambda: constant

    def _prepare_all(self, ops: Iterable[Op]) -> Run:
        steps = [self._prepare(op) for op in ops]

        def run_all() -> None:
            for step in steps:
                step()

        return run_all

    def _prepare(self, op: Op) -> Run:
        if isinstance(op, Loop):
            return self._prepare_loop(op)
        if isinstance(op, If):
            return self._prepare_if(op)
        compute, dst = self._compute(op), self._array(op.dst)

        def run() -> None:
            dst()[...] = compute()

        return run

    def _prepare_loop(self, op: Loop) -> Run:
        body = self._prepare_all(op.body)

        def run() -> None:
            for cursor in op.cursors:
                self.cursors[cursor.name] = self.cursors[cursor.parent] if cursor.parent else 0
            for _ in range(op.count):
                body()
                for cursor in op.cursors:
                    self.cursors[cursor.name] += cursor.stride

        return run

    def _prepare_if(self, op: If) -> Run:
        condition = self._array(op.condition)
        then, orelse = self._prepare_all(op.then), self._prepare_all(op.orelse)

        def run() -> None:
            if condition()[0]:
                then()
            else:
                orelse()

        return run

    def _compute(self, op: Simple) -> Callable[[], Int64Array]:
        if isinstance(op, Vec):
            a, b, vec = self._operand(op.a), self._operand(op.b), op
            return lambda: apply_vec(vec, a(), b())
        if isinstance(op, Mac):
            return self._compute_mac(op)
        if isinstance(op, Interp):
            return self._compute_interp(op)
        if isinstance(op, Products):
            return self._compute_products(op)
        source = self._array(op.a)
        if isinstance(op, Delay):
            rest = self._array(op.reads[1])
            return lambda: np.concatenate([rest(), source()])
        if isinstance(op, Look):
            table, look, low = self.fmir.tables[op.table], op, fixed.limits(op.bits)[0]
            return lambda: table[fixed.saturate(fixed.shift(source(), look.shift_a), look.bits) - low]
        return source

    def _compute_interp(self, op: Interp) -> Callable[[], Int64Array]:
        a, offset, slope = self._array(op.a), self.fmir.tables[op.offset], self.fmir.tables[op.slope]
        bits = INTERPOLATION_ADDRESS_BITS
        middle = 1 << bits - 1

        def compute() -> Int64Array:
            high = fixed.shift(a(), -bits)
            product = fixed.shift(slope[high + middle] * (a() - fixed.shift(high, bits)), -bits)
            return apply_post(
                fixed.shift(product, op.shift_a) + fixed.shift(offset[high + middle], op.shift_b), op.post
            )

        return compute

    def _compute_products(self, op: Products) -> Callable[[], Int64Array]:
        bias, factors = self._operand(op.bias), [(self._array(a), self._operand(b)) for a, b in op.factors]

        def compute() -> Int64Array:
            total = fixed.shift(bias(), op.bias_shift)
            for a, b in factors:
                total = total + a() * b()
            return apply_post(total, op.post)

        return compute

    def _compute_mac(self, op: Mac) -> Callable[[], Int64Array]:
        bias, shift, post = self._operand(op.bias), op.bias_shift, op.post
        parts = []
        for name, view in op.parts:
            matrix = self.fmir.matrices[name]
            x_bits = self.fmir.buffers[view.buffer].bits
            parts.append((_prepared(matrix.weights, matrix.bits, x_bits), self._array(view)))

        def compute() -> Int64Array:
            total = np.broadcast_to(fixed.shift(bias(), shift), (op.dst.length,))
            for matrix, x in parts:
                products = x().astype(matrix.dtype).reshape(op.repeat, -1) @ matrix
                total = total + products.astype(np.int64).reshape(-1)
            return apply_post(total, post)

        return compute


def _prepared(weights: Int64Array, weight_bits: int, x_bits: int) -> Float64Array | Int64Array:
    """float64 where every sum is exact in it (much faster), else int64."""
    exact = weight_bits + x_bits + int(weights.shape[0]).bit_length() <= _EXACT_BITS
    return weights.astype(np.float64) if exact else weights
