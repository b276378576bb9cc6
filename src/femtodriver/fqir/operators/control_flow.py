"""Operators with bodies: loop, conditional, strided_subgraph, and the plain call.

All bodies share the one value table of the network (``fqir.reference``): they may read outer names, and their
own names and states stay there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import ClassVar

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Graph, Node, Tensor
from femtodriver.fqir.operators.constant_kinds import (
    MAX_WIDTH,
    OUTPUTS,
    Count,
    FlagForEach,
    Integer,
    IntegerForEach,
)
from femtodriver.fqir.operators.example import Example
from femtodriver.fqir.operators.lowering_interface import Branch, Build, LoopForm, Value
from femtodriver.fqir.operators.operator import Body, Operator, Ranges, Shape, Shapes, Tracer, rule
from femtodriver.fqir.operators.ranges import Range

BIGGEST_BLOCK = 1 << 31


def _body(name: str, size: int, op: str = "relu", **constants: object) -> Graph:
    """A body for examples."""
    x, y = (Tensor(f"{name}{end}", "fqint16", (size,)) for end in ("0", "_out"))
    return Graph(name, (x,), (y,), (), (Node("", op, {"x": x}, (y,), constants),))


def _passed(given: Iterable[Tensor], taken: Iterable[Tensor]) -> Iterator[tuple[str, str]]:
    """Pairs of names of values that are passed on, position by position."""
    return ((one.name, other.name) for one, other in zip(given, taken, strict=False))


class CountedLoop(Operator):
    """Runs its body ``n_iter`` times on slices, with carried values; concatenates or keeps the last results.

    Body inputs: carried, slices, invariant. Body outputs: next carried, to concatenate, final.
    """

    name = "loop"
    inputs = ("x_recurse_#", "x_sliced_#", "x_scope_#")
    outputs = None
    bodies = ("body",)
    examples = tuple(
        Example(
            f"{times} iterations on {block} elements",
            {"x_sliced_0": (times * block,)},
            {
                "n_iter": times,
                "n_sliced": 1,
                "n_concat": 1,
                "block_size_sliced": (block,),
                "reverse_sliced": (False,),
                "reverse_concat": (False,),
            },
            bodies={"body": _body("slice", block)},
        )
        for times, block in ((4, 16), (16, 16), (64, 16))
    )
    n_iter = Count()
    n_recurse = Count(0, typical=0)
    n_sliced = Count(0, typical=0)
    n_scope = Count(0, typical=0)
    n_concat = Count(0, typical=0)
    n_final = Count(0, typical=0)
    block_size_sliced = IntegerForEach("x_sliced_#", Integer(1, BIGGEST_BLOCK))
    reverse_sliced = FlagForEach("x_sliced_#")
    reverse_concat = FlagForEach(OUTPUTS)

    @rule
    def inputs_counted(self, shapes: Shapes) -> str | None:
        """n_recurse, n_sliced and n_scope must be the numbers of inputs of each kind"""
        said = [self.n_recurse, self.n_sliced, self.n_scope]
        found = [self.members(f"x_{kind}_") for kind in ("recurse", "sliced", "scope")]
        return None if said == found else f"{said} for {found}"

    @rule
    def lists_counted(self, shapes: Shapes) -> str | None:
        """block_size_sliced, reverse_sliced and reverse_concat must have one entry for each slice and each piece"""
        said = [len(self.block_size_sliced), len(self.reverse_sliced), len(self.reverse_concat)]
        wanted = [self.n_sliced, self.n_sliced, self.n_concat]
        return None if said == wanted else f"{said} for {wanted}"

    @rule
    def body_takes(self, shapes: Shapes) -> str | None:
        """the body must take n_recurse + n_sliced + n_scope inputs"""
        wanted, found = len(self.arguments), len(self.node.subgraphs["body"].inputs)
        return None if wanted == found else f"{found} for {wanted}"

    @rule
    def body_gives(self, shapes: Shapes) -> str | None:
        """the body must give n_recurse + n_concat + n_final outputs, the loop n_concat + n_final"""
        found = [len(self.node.subgraphs["body"].outputs), len(self.node.outputs)]
        wanted = [self.n_recurse + self.n_concat + self.n_final, self.n_concat + self.n_final]
        return None if wanted == found else f"{found} for {wanted}"

    @rule
    def slices_inside(self, shapes: Shapes) -> str | None:
        """n_iter blocks of each sliced input must lie inside it"""
        for index, block in enumerate(self.block_size_sliced):
            shape = shapes[f"x_sliced_{index}"]
            if not shape or block * self.n_iter > shape[0]:
                return f"{self.n_iter} blocks of {block} in x_sliced_{index} of {list(shape)}"
        return None

    def trace(self, tracer: Tracer, shapes: Shapes) -> tuple[Shape, ...]:
        given = [shapes[argument] for argument in self.arguments]
        carried, scope = given[: self.n_recurse], given[self.n_recurse + self.n_sliced :]
        sliced = given[self.n_recurse : self.n_recurse + self.n_sliced]
        blocks = zip(self.block_size_sliced, sliced, strict=True)
        pieces = [(block, *shape[1:]) for block, shape in blocks]
        results = tracer.repeated("body", [*carried, *pieces, *scope], self.n_iter)
        self._check_results(carried, results)
        concat = results[self.n_recurse : self.n_recurse + self.n_concat]
        joined = [(self.n_iter * shape[0], *shape[1:]) for shape in concat]
        return (*joined, *results[self.n_recurse + self.n_concat :])

    def moves(self) -> Iterator[tuple[str, str]]:
        body = self.node.subgraphs["body"]
        yield from _passed((self.node.inputs[argument] for argument in self.arguments), body.inputs)
        yield from _passed(body.outputs[: self.n_recurse], body.inputs)
        yield from _passed(body.outputs[self.n_recurse :], self.node.outputs)

    def _check_results(self, carried: Sequence[Shape], results: Sequence[Shape]) -> None:
        for index, (before, after) in enumerate(zip(carried, results, strict=False)):
            if before != after:
                raise self.place.fault(
                    f"carried value x_recurse_{index} must keep its shape {list(before)}, not become {list(after)}"
                )
        for index, shape in enumerate(results[self.n_recurse : self.n_recurse + self.n_concat]):
            if not shape:
                raise self.place.fault(f"piece {index} to concatenate must have an axis, not be a scalar")

    def _slices(self, values: Sequence[Int64Array]) -> Iterator[list[Int64Array]]:
        """The slices of each iteration."""
        plan = list(zip(values, self.block_size_sliced, self.reverse_sliced, strict=True))
        for time in range(self.n_iter):
            slices = []
            for value, block, backwards in plan:
                start = block * (self.n_iter - 1 - time if backwards else time)
                slices.append(value[start : start + block])
            yield slices

    def evaluate(self, bodies: Mapping[str, Body], *values: Int64Array) -> tuple[Int64Array, ...]:
        body, sliced_end = bodies["body"], self.n_recurse + self.n_sliced
        carried, scope = list(values[: self.n_recurse]), values[sliced_end:]
        pieces: list[list[Int64Array]] = [[] for _ in range(self.n_concat)]
        results: Sequence[Int64Array] = ()
        for slices in self._slices(values[self.n_recurse : sliced_end]):
            results = body([*carried, *slices, *scope])
            carried = list(results[: self.n_recurse])
            for collected, piece in zip(pieces, results[self.n_recurse :], strict=False):
                collected.append(piece)
        ordered = [part[::-1] if back else part for part, back in zip(pieces, self.reverse_concat, strict=True)]
        return (*map(np.concatenate, ordered), *results[self.n_recurse + self.n_concat :])

    def work(self, shapes: Shapes, results: Sequence[Shape]) -> int:
        return super().work(shapes, results) + self.n_iter

    def lower(self, build: Build) -> None:
        body = self.node.subgraphs["body"]
        build.settle([body])
        given = self.shaped(build)
        carried, sliced = given[: self.n_recurse], given[self.n_recurse : self.n_recurse + self.n_sliced]
        slices = list(zip(sliced, self.block_size_sliced, self.reverse_sliced, strict=True))
        scope = given[self.n_recurse + self.n_sliced :]
        results = build.loop(LoopForm(body, self.n_iter, carried, slices, scope, self.reverse_concat))
        self.give_shaped(build, results)


class Conditional(Operator):
    """Runs the body ``true`` if the first element of ``condition`` is not zero, else ``false``."""

    name = "conditional"
    inputs = ("condition", "input_#")
    outputs = None
    bodies = ("true", "false")
    examples = (
        Example(
            "64 elements",
            {"condition": (1,), "input_0": (64,)},
            {"num_inputs": 1, "num_outputs": 1},
            bodies={"true": _body("taken", 64), "false": _body("other", 64, "vneg", bw=16)},
        ),
    )
    num_inputs = Count(0)
    num_outputs = Count(0)

    @rule
    def condition_holds_something(self, shapes: Shapes) -> str | None:
        """condition must have an element"""
        return None if prod(shapes["condition"]) else f"{list(shapes['condition'])}"

    @rule
    def counted(self, shapes: Shapes) -> str | None:
        """num_inputs and num_outputs must be the numbers of inputs and outputs"""
        said = [self.num_inputs, self.num_outputs]
        found = [self.members("input_"), len(self.node.outputs)]
        return None if said == found else f"{said} for {found}"

    @rule
    def branches_agree(self, shapes: Shapes) -> str | None:
        """both bodies must take num_inputs inputs and give num_outputs outputs"""
        for branch, body in self.node.subgraphs.items():
            found = [len(body.inputs), len(body.outputs)]
            if found != [self.num_inputs, self.num_outputs]:
                return f"{found} for {[self.num_inputs, self.num_outputs]} in body {branch}"
        return None

    def trace(self, tracer: Tracer, shapes: Shapes) -> tuple[Shape, ...]:
        given = [shapes[argument] for argument in self.arguments[1:]]
        results = tracer.choice({"true": given, "false": given})
        if results["true"] != results["false"]:
            texts = [str([list(shape) for shape in results[branch]]) for branch in ("true", "false")]
            raise self.place.fault(f"both bodies must give outputs of equal shapes, not {' and '.join(texts)}")
        return results["true"]

    def moves(self) -> Iterator[tuple[str, str]]:
        given = [self.node.inputs[argument] for argument in self.arguments[1:]]
        for body in self.node.subgraphs.values():
            yield from _passed(given, body.inputs)
            yield from _passed(body.outputs, self.node.outputs)

    def evaluate(
        self, bodies: Mapping[str, Body], condition: Int64Array, *values: Int64Array
    ) -> tuple[Int64Array, ...]:
        return tuple(bodies["true" if condition.flat[0] else "false"](values))

    def lower(self, build: Build) -> None:
        bodies = self.node.subgraphs
        build.settle(list(bodies.values()))
        (condition, _), *given = self.shaped(build)
        known = build.known(build.part(condition, 0, 1))
        if known is not None:
            self.give_shaped(build, build.graph(bodies["true" if known[0] else "false"], given))
            return
        branches = (Branch(bodies["true"], given), Branch(bodies["false"], given))
        self.give_shaped(build, build.choose(condition, *branches))


class StridedSubgraph(Operator):
    """Runs its body when counter mod n == k, else gives the default outputs; then counts modulo n."""

    name = "strided_subgraph"
    inputs = ("counter", "input_#", "default_output_#")
    outputs = None
    updates = ("counter",)
    counts: ClassVar[Mapping[str, str]] = {"counter": "n"}
    bodies = ("body",)
    examples = (
        Example(
            "64 elements, a frame in which it runs",
            {"counter": (1,), "input_0": (64,), "default_output_0": (64,)},
            {"n": 4, "k": 0, "num_inputs": 1, "num_outputs": 1},
            bodies={"body": _body("body", 64)},
        ),
    )
    n = Count()
    k = Count(0)
    num_inputs = Count(0)
    num_outputs = Count(0)

    @rule
    def phase_inside(self, shapes: Shapes) -> str | None:
        """k must be less than n"""
        return None if self.k < self.n else f"{self.k} for {self.n}"

    @rule
    def counter_is_number(self, shapes: Shapes) -> str | None:
        """counter must have shape [1]"""
        return None if shapes["counter"] == (1,) else f"{list(shapes['counter'])}"

    @rule
    def counted(self, shapes: Shapes) -> str | None:
        """num_inputs and num_outputs must be the numbers of inputs, default outputs and outputs"""
        said = [self.num_inputs, self.num_outputs, self.num_outputs]
        found = [self.members("input_"), self.members("default_output_"), len(self.node.outputs)]
        return None if said == found else f"{said} for {found}"

    @rule
    def body_agrees(self, shapes: Shapes) -> str | None:
        """the body must take num_inputs inputs and give num_outputs outputs"""
        body = self.node.subgraphs["body"]
        said, found = [self.num_inputs, self.num_outputs], [len(body.inputs), len(body.outputs)]
        return None if said == found else f"{found} for {said}"

    def trace(self, tracer: Tracer, shapes: Shapes) -> tuple[Shape, ...]:
        given = [shapes[argument] for argument in self.arguments[1:]]
        results = tracer.choice({"body": given[: self.num_inputs], "": ()})["body"]
        for index, (default, result) in enumerate(zip(given[self.num_inputs :], results, strict=True)):
            if default != result:
                raise self.place.fault(
                    f"default_output_{index} must have the body's output shape {list(result)}, not {list(default)}"
                )
        return (*results, shapes["counter"])

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        """Of the counter alone: the outputs are what ``moves`` says."""
        return ((0, self.n - 1),)

    def moves(self) -> Iterator[tuple[str, str]]:
        body = self.node.subgraphs["body"]
        given = [self.node.inputs[argument] for argument in self.arguments[1:]]
        yield from _passed(given, body.inputs)
        yield from _passed(given[self.num_inputs :], self.node.outputs)
        yield from _passed(body.outputs, self.node.outputs)

    def evaluate(self, bodies: Mapping[str, Body], counter: Int64Array, *values: Int64Array) -> tuple[Int64Array, ...]:
        due = int(counter[0]) % self.n == self.k
        results = bodies["body"](values[: self.num_inputs]) if due else values[self.num_inputs :]
        return (*results, (counter + 1) % self.n)

    def lower(self, build: Build) -> None:
        body = self.node.subgraphs["body"]
        build.settle([body])
        (counter, _), *given = self.shaped(build)
        inputs, defaults = given[: self.num_inputs], given[self.num_inputs :]
        name = self.node.inputs["counter"].name
        phase = (_wrapped if build.counts(name, self.n) else _modulo)(build, counter, self.n)
        due = build.vec("veq", phase, self.k)
        results = build.choose(due, Branch(body, inputs), Branch(None, defaults))
        build.bind(name, _wrapped(build, build.vec("vadd", phase, 1, saturate=MAX_WIDTH), self.n))
        self.give_shaped(build, results)


def _wrapped(build: Build, counter: Value, n: int) -> Value:
    """counter mod n for a counter from 0 to n."""
    below = build.vec("vgt", n, counter)
    return build.vec("vmul", counter, below, saturate=MAX_WIDTH)


def _modulo(build: Build, counter: Value, n: int) -> Value:
    """counter mod n for any counter: long division without a quotient."""
    most = max(MAX_WIDTH - n.bit_length(), 0)
    rest = build.vec("vadd", counter, n, shift_b=most)  # not negative any more
    for shift in range(most, -1, -1):
        fits = build.vec("vge", rest, n, shift_b=shift)
        rest = build.vec("vsub", rest, build.vec("vmul", fits, n, saturate=MAX_WIDTH), shift_b=shift)
    return build.vec("vpass", rest, saturate=MAX_WIDTH)


class Call(Operator):
    """A node without operator: runs its single subgraph on its inputs, position by position."""

    name = "call"
    outputs = None
    examples = (Example("64 elements", {"x": (64,)}, bodies={"body": _body("body", 64)}),)

    def _arguments(self) -> tuple[str, ...]:
        return tuple(self.node.inputs)

    def _check_bodies(self) -> None:
        if len(self.node.subgraphs) != 1:
            raise self.place.fault(f"a call must have exactly one body, not {len(self.node.subgraphs)}")

    @property
    def branch(self) -> str:
        """Name of the single subgraph."""
        return next(iter(self.node.subgraphs))

    @rule
    def outputs_fit(self, shapes: Shapes) -> str | None:
        """the body must have an output for each output of the call"""
        found, wanted = len(self.node.subgraphs[self.branch].outputs), len(self.node.outputs)
        return None if found >= wanted else f"{found} for {wanted}"

    def trace(self, tracer: Tracer, shapes: Shapes) -> tuple[Shape, ...]:
        results = tracer.once(self.branch, [shapes[argument] for argument in self.arguments])
        return results[: len(self.node.outputs)]

    def moves(self) -> Iterator[tuple[str, str]]:
        body = self.node.subgraphs[self.branch]
        yield from _passed((self.node.inputs[argument] for argument in self.arguments), body.inputs)
        yield from _passed(body.outputs, self.node.outputs)

    def evaluate(self, bodies: Mapping[str, Body], *values: Int64Array) -> tuple[Int64Array, ...]:
        return tuple(bodies[self.branch](values))[: len(self.node.outputs)]

    def lower(self, build: Build) -> None:
        results = build.graph(self.node.subgraphs[self.branch], self.shaped(build))
        self.give_shaped(build, results[: len(self.node.outputs)])
