"""FQIR -> FMIR: walks the frame graph and lets every operator lower itself with the verbs of ``Lowering``.

Names become ropes (immutable views) in an environment; a state's new value is written back once, at the end of the
frame, so that every read before it sees what the specification demands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from femtodriver.compiler import rope as ropes
from femtodriver.compiler.fmir import (
    Buffer,
    Fmir,
    Layer,
    Look,
    Mac,
    Matrix,
    Op,
    Port,
    Post,
    Role,
    Vec,
    View,
    storage_bits,
    value_bits,
)
from femtodriver.compiler.fmir_run import apply_vec
from femtodriver.compiler.rope import Rope
from femtodriver.errors import ModelError, UnsupportedError
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.fqir.place import NodePlace
from femtodriver.fqir.registry import bind
from femtodriver.isa import fits_immediate

Int64Array = npt.NDArray[np.int64]
# A rope of many short views is gathered into one buffer before a matrix reads it.
_SHORT_VIEW = 4
_LOGIC = frozenset({"vgt", "vge", "veq", "vand", "vor", "vxor"})


class Lowering:
    """The verbs with which operators lower themselves, and what they have built so far."""

    def __init__(self, network: Network, initial: Mapping[str, Int64Array]) -> None:
        self.network = network
        self.buffers: dict[str, Buffer] = {}
        self.matrices: dict[str, Matrix] = {}
        self.tables: dict[str, Int64Array] = {}
        self.ops: list[Op] = []
        self.layers: list[Layer] = []
        self.values: dict[str, Rope] = {}
        self._known: dict[object, Rope] = {}
        self._shared: dict[bytes, str] = {}
        self._states: dict[str, Rope] = {}
        for tensor in network.inputs:
            self._declare_input(tensor)
        for name in network.state_names:
            self._declare_state(name, initial[name])

    # ---- names -------------------------------------------------------------------------------------------------

    def value(self, name: str) -> Rope:
        """The current value of an FQIR name."""
        if name not in self.values:
            raise ModelError(f"tensor {name!r}: must be written before it is read.")
        return self.values[name]

    def bind(self, name: str, value: Rope) -> None:
        """Give an FQIR name a new value."""
        self.values[name] = value

    def parameter(self, tensor: Tensor) -> None:
        """Bind a parameter to its constant."""
        if tensor.value is not None:
            self.values[tensor.name] = self.constant(tensor.value)

    def begin_node(self, index: int, node: Node) -> None:
        """Operations from now on belong to this node."""
        source = node.outputs[0].name if node.outputs else next((t.name for t in node.inputs.values()), node.name)
        op = node.op or "call"
        elements = sum(tensor.size for tensor in node.outputs)
        self.layers.append(Layer(f"{index:03d} {op} {source}", op, source, elements))

    def graph(self, graph: Graph) -> None:
        """Lower every node of a graph, in order. UnsupportedError for what cannot be compiled yet."""
        for index, node in enumerate(graph.nodes):
            place = NodePlace(self.network.name, graph.name, index, node)
            _check_ranks(node, place)
            self.begin_node(index, node)
            bind(node, place).lower(self)

    # ---- verbs of operators ------------------------------------------------------------------------------------

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
            if buffer.role is not Role.CONST or buffer.init is None:
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
        post = _post(shift, rounded, saturate, low)
        size = max(ropes.length(value) for value in (a, b) if not isinstance(value, int))
        a, b = self._operand(a, size), self._operand(b, size)
        key = (op, a, b, shift_a, shift_b, post)
        if key not in self._known:
            template = Vec(op, View("", 0, size), 0, 0, shift_a, shift_b, post)
            self._known[key] = self._fold(template, a, b, size) or self._emit_vec(template, a, b, size)
        return self._known[key]

    def look(self, x: Rope, table: Int64Array, *, shift_a: int = 0, bits: int = 8) -> Rope:
        """Table look-up; ``table`` has 2**bits values of at most 16 bits, lowest address first."""
        if value_bits(table) > 16:
            raise UnsupportedError(f"table: values must fit 16 bits, not {value_bits(table)}.")
        key = b"table" + table.tobytes()
        name = self._shared.setdefault(key, f"table{len(self.tables)}")
        self.tables[name] = table
        known = ("look", name, x, shift_a, bits)
        if known not in self._known:
            dst = self._temp(ropes.length(x), storage_bits(value_bits(table)))
            for first, end in ropes.aligned([x]):
                source = self.contiguous(ropes.part(x, first, end))
                self.ops.append(Look(dst.part(first, end), source, name, shift_a, bits, self._layer))
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
    ) -> Rope:
        """Sum of matrix products; each part is weights (columns, rows) and a rope of ``columns`` elements."""
        post = _post(shift, rounded, saturate, None)
        rows = parts[0][0].shape[1]
        products: list[tuple[str, View]] = []
        for weights, x in parts:
            if len(x) > 1 and any(view.length < _SHORT_VIEW or not view.step for view in x):
                x = (self.contiguous(x),)
            position = 0
            for view in x:
                source = view if view.step else self.contiguous((view,))
                products.append((self._matrix(weights[position : position + view.length]), source))
                position += view.length
        start = bias if isinstance(bias, int) else self._scalar_or_view(bias)
        dst = self._temp(rows, storage_bits(post.bits))
        self.ops.append(Mac(dst, tuple(products), start, bias_shift, post, self._layer))
        return (dst,)

    def contiguous(self, value: Rope) -> View:
        """The value as one view with step 1; copies when it is scattered."""
        if len(value) == 1 and value[0].step:
            return value[0]
        bits = max(self.buffers[view.buffer].bits for view in value)
        dst = self._temp(ropes.length(value), bits)
        self._copy(dst, value)
        return dst

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

    # ---- the end of the frame ----------------------------------------------------------------------------------

    def finish(self) -> Fmir:
        """Copy outputs out, write states back, and return the mapped network."""
        self.layers.append(Layer("(frame end)", "frame_end", "", 0))
        outputs = tuple(self._publish(tensor) for tensor in self.network.outputs)
        self._write_back()
        inputs = tuple(
            Port(tensor.name, self._input_buffer(tensor), tensor.size, _port_bits(tensor))
            for tensor in self.network.inputs
        )
        return Fmir(
            self.network.name,
            self.buffers,
            self.matrices,
            self.tables,
            tuple(self.ops),
            inputs,
            outputs,
            tuple(self.layers),
            dict(self.values),
        )

    def _publish(self, tensor: Tensor) -> Port:
        value = self.value(tensor.name)
        bits = _port_bits(tensor)
        name = f"out:{tensor.name}"
        if name not in self.buffers:
            size = ropes.length(value)
            self.buffers[name] = Buffer(name, size, storage_bits(bits), Role.OUTPUT)
            self._copy(View(name, 0, size), value)
        return Port(tensor.name, name, self.buffers[name].length, bits)

    def _write_back(self) -> None:
        """States get their new values. A source that another write-back overwrites first is copied aside."""
        changed = {name: self.values[name] for name, old in self._states.items() if self.values[name] != old}
        overwritten = {self._states[name][0].buffer for name in changed if self._states[name]}
        safe: dict[str, Rope] = {}
        for name, value in changed.items():
            own = self._states[name][0].buffer
            foreign = any(view.buffer in overwritten and view.buffer != own for view in value)
            safe[name] = (self.contiguous_copy(value),) if foreign or not _shifts_down(value, own) else value
        for name, value in safe.items():
            self._copy(self._states[name][0], value)

    def contiguous_copy(self, value: Rope) -> View:
        """A fresh copy of the value."""
        dst = self._temp(ropes.length(value), max(self.buffers[view.buffer].bits for view in value))
        self._copy(dst, value)
        return dst

    # ---- helpers -----------------------------------------------------------------------------------------------

    @property
    def _layer(self) -> int:
        return max(len(self.layers) - 1, 0)

    def _input_buffer(self, tensor: Tensor) -> str:
        return f"in:{tensor.name}"

    def _declare_input(self, tensor: Tensor) -> None:
        name, bits = self._input_buffer(tensor), storage_bits(_port_bits(tensor))
        self.buffers[name] = Buffer(name, tensor.size, bits, Role.INPUT)
        self.values[tensor.name] = (View(name, 0, tensor.size),) if tensor.size else ()

    def _declare_state(self, tensor: str, initial: Int64Array) -> None:
        name, values = f"state:{tensor}", np.ascontiguousarray(initial, np.int64).reshape(-1)
        bits = storage_bits(max(value_bits(values), self._declared_bits(tensor)))
        self.buffers[name] = Buffer(name, len(values), bits, Role.STATE, init=values)
        self.values[tensor] = self._states[tensor] = (View(name, 0, len(values)),) if len(values) else ()

    def _declared_bits(self, name: str) -> int:
        """The widest value that any node may give the state of this name."""
        widths = [16]
        for _, node in self.network.frame.walk():
            for tensor in (*node.inputs.values(), *node.outputs):
                if tensor.name == name or (node.op == "assign" and node.inputs["y"].name == name):
                    widths.append(tensor.bits or 32)
        return max(widths)

    def _temp(self, length: int, bits: int) -> View:
        name = f"t{len(self.buffers)}"
        self.buffers[name] = Buffer(name, length, bits, Role.TEMP)
        return View(name, 0, length)

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

    def _fold(self, template: Vec, a: Rope | int, b: Rope | int, size: int) -> Rope | None:
        """The constant result when both operands are constants."""
        known = [np.array([value]) if isinstance(value, int) else self.known(value) for value in (a, b)]
        if known[0] is None or known[1] is None:
            return None
        return self.constant(np.broadcast_to(apply_vec(template, known[0], known[1]), (size,)))

    def _emit_vec(self, template: Vec, a: Rope | int, b: Rope | int, size: int) -> Rope:
        bits = self._result_bits(template.op, template.post, a, b)
        dst = self._temp(size, bits)
        for first, end in ropes.aligned([value for value in (a, b) if not isinstance(value, int)]):
            pieces = [
                value if isinstance(value, int) else self._scalar_or_view(ropes.part(value, first, end))
                for value in (a, b)
            ]
            self.ops.append(
                Vec(
                    template.op,
                    dst.part(first, end),
                    pieces[0],
                    pieces[1],
                    template.shift_a,
                    template.shift_b,
                    template.post,
                    self._layer,
                )
            )
        return (dst,)

    def _result_bits(self, op: str, post: Post, a: Rope | int, b: Rope | int) -> int:
        if post.clip == "saturate":
            return storage_bits(post.bits)
        if post.clip == "low":
            return storage_bits(post.bits + 1)
        if op in _LOGIC:
            return 8
        if op in ("vpass", "vmax", "vmin") and not post.shift:
            return max(self._bits(a), self._bits(b))
        return 64

    def _bits(self, value: Rope | int) -> int:
        if isinstance(value, int):
            return storage_bits(value_bits(np.array([value])))
        return max((self.buffers[view.buffer].bits for view in value), default=8)

    def _copy(self, dst: View, value: Rope) -> None:
        position = 0
        for view in value:
            target = dst.part(position, position + view.length)
            if target != view:
                self.ops.append(Vec("vpass", target, view, layer=self._layer))
            position += view.length

    def _matrix(self, weights: Int64Array) -> str:
        weights = np.ascontiguousarray(weights)
        bits = next((width for width in (4, 8, 16) if value_bits(weights) <= width), 0)
        if not bits:
            raise UnsupportedError(f"weights: must fit 16 bits, not {value_bits(weights)}.")
        key = b"matrix%d,%d" % weights.shape + weights.tobytes()
        name = self._shared.setdefault(key, f"m{len(self.matrices)}")
        if name not in self.matrices:
            self.matrices[name] = Matrix(name, weights, bits)
        return name


def _check_ranks(node: Node, place: NodePlace) -> None:
    for tensor in (*node.inputs.values(), *node.outputs):
        if tensor.value is None and len(tensor.shape) > 1:
            raise place.unsupported(
                f"activation {tensor.name!r} must be a vector, not of shape {list(tensor.shape)}",
                "Activations with several axes cannot be compiled yet.",
            )


def _post(shift: int, rounded: bool, saturate: int | None, low: int | None) -> Post:
    if saturate is not None:
        return Post(shift, rounded and shift < 0, "saturate", saturate)
    if low is not None:
        return Post(shift, rounded and shift < 0, "low", low)
    return Post(shift, rounded and shift < 0)


def _port_bits(tensor: Tensor) -> int:
    """Width of an external tensor; producers leave test graphs without one, which we take as 16 bits."""
    return tensor.bits or 16


def _shifts_down(value: Rope, buffer: str) -> bool:
    """Whether copying the rope into ``buffer``, piece by piece, never overwrites what a later piece reads."""
    position = 0
    for view in value:
        if view.buffer == buffer and (view.offset < position or not view.step):
            return False
        position += view.length
    return True
