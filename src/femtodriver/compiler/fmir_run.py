"""The meaning of FMIR: executes the operations one by one on plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from femtodriver import fixed
from femtodriver.compiler.fmir import Fmir, Look, Mac, Op, Post, Vec, View
from femtodriver.isa import SPECS

Int64Array = npt.NDArray[np.int64]
_EXACT_BITS = 53


def apply_post(values: Int64Array, post: Post) -> Int64Array:
    """Shift, round and clip a result."""
    values = fixed.round_shift(values, post.shift, post.rounded)
    if post.clip == "saturate":
        return fixed.saturate(values, post.bits)
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
        self.reset()

    def reset(self) -> None:
        """Initial state and constants; everything else zero."""
        self.memory = {
            name: np.zeros(buffer.length, np.int64) if buffer.init is None else buffer.init.copy()
            for name, buffer in self.fmir.buffers.items()
        }
        self._steps = [self._prepare(op) for op in self.fmir.ops]

    def step(self, inputs: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
        """One frame."""
        for port in self.fmir.inputs:
            self.memory[port.buffer][...] = inputs[port.name]
        for run in self._steps:
            run()
        return {port.name: self.memory[port.buffer].copy() for port in self.fmir.outputs}

    def internals(self) -> dict[str, Int64Array]:
        """Values of FQIR tensors after the frame, where they still stand."""
        return {
            name: np.concatenate([self._value(view) for view in rope])
            for name, rope in self.fmir.values.items()
            if rope
        }

    def _array(self, view: View) -> Int64Array:
        return self.memory[view.buffer][view.offset : view.end]

    def _value(self, view: View) -> Int64Array:
        return self._array(view) if view.step else np.repeat(self._array(view), view.length)

    def _operand(self, operand: View | int) -> Int64Array:
        return self._array(operand) if isinstance(operand, View) else np.array([operand], np.int64)

    def _prepare(self, op: Op) -> Callable[[], None]:
        dst = self._array(op.dst)
        if isinstance(op, Vec):
            a, b, vec = self._operand(op.a), self._operand(op.b), op

            def run_vec() -> None:
                dst[...] = apply_vec(vec, a, b)

            return run_vec
        if isinstance(op, Mac):
            return self._prepare_mac(op, dst)
        source = self._array(op.a)
        if isinstance(op, Look):
            table, look, low = self.fmir.tables[op.table], op, fixed.limits(op.bits)[0]

            def run_look() -> None:
                dst[...] = table[fixed.saturate(fixed.shift(source, look.shift_a), look.bits) - low]

            return run_look

        def run_send() -> None:
            dst[...] = source

        return run_send

    def _prepare_mac(self, op: Mac, dst: Int64Array) -> Callable[[], None]:
        bias, shift, post = self._operand(op.bias), op.bias_shift, op.post
        parts = []
        for name, view in op.parts:
            matrix = self.fmir.matrices[name]
            x_bits = self.fmir.buffers[view.buffer].bits
            parts.append((_prepared(matrix.weights, matrix.bits, x_bits), self._array(view)))

        def run_mac() -> None:
            total = np.broadcast_to(fixed.shift(bias, shift), dst.shape)
            for matrix, x in parts:
                total = total + (x.astype(matrix.dtype) @ matrix).astype(np.int64)
            dst[...] = apply_post(total, post)

        return run_mac


def _prepared(weights: Int64Array, weight_bits: int, x_bits: int) -> npt.NDArray[np.float64] | Int64Array:
    """float64 where every sum is exact in it (much faster), else int64."""
    exact = weight_bits + x_bits + int(weights.shape[0]).bit_length() <= _EXACT_BITS
    return weights.astype(np.float64) if exact else weights
