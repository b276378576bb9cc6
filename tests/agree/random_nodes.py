"""Random legal nodes of any operator, from what its class declares: forms, kinds of constants, rules, examples.

A node is sketched first, as shapes and constants, until the operator's rules accept it; only then its tensors are
picked or made. Operators with bodies are drawn by ``random_bodies``, or else from their examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod

from example_networks import example_constants, example_network

from femtodriver.errors import FemtoError
from femtodriver.fqir.graph import Graph, Node, Tensor
from femtodriver.fqir.location import NodePlace
from femtodriver.fqir.operators.control_flow import Call
from femtodriver.fqir.operators.example import ShapeForm
from femtodriver.fqir.operators.operator import Operator, Shape
from femtodriver.fqir.operators.ranges import BOOLEAN, Range, bits_of, of_bits
from femtodriver.fqir.registry import OPERATORS
from tests.agree.graph_draw import MOST_ELEMENTS, Choice, Draw, Sampler
from tests.agree.random_bodies import BODIES
from tests.agree.random_constants import Sketch, add_constants, size_of
from tests.agree.random_patterns import PATTERNS

TRIES = 60
MOST_OUTPUTS = 8
# A product of two computed operands is unrolled, so it must be small.
MOST_COMPUTED = 60
PLACEHOLDER = "int16"

# How often an operator is drawn, where that is not ORDINARY.
ORDINARY, RARE, SELDOM = 1.0, 0.4, 0.2
_TESTS = ("gt", "ge", "lt", "le", "eq", "and", "or", "xor")
WEIGHTS: Mapping[str, float] = {
    **{f"{kind}{test}": SELDOM for kind in ("vv", "vi") for test in _TESTS},
    **dict.fromkeys(("vneg", "relu", "vvmax", "vvmin", "gt0"), RARE),
    **dict.fromkeys(("transpose", "constant_like", "zeros", "constant", "call"), SELDOM),
    **dict.fromkeys(("vvadd", "vvmul", "matmul", "addmm", "gmac_v2", "cat"), 2.0),
    "split": 1.5,
    "copy": 0.4,
    "stack": 0.3,
    "reshape": 0.3,
    "sum": 0.5,
    "assign": 0.3,
    "temporal_unfold": 0.7,
    "temp_i24_bool_mul": 0.1,
    "loop": 0.8,
    "conditional": 0.6,
    "strided_subgraph": 0.4,
}


@dataclass
class _Wanted:
    """How to get the tensors of a sketch: ``chosen`` are there; ``fresh`` are to be new parameters, ``parameters``
    nearly always; all others are found or made.
    """

    chosen: dict[str, Tensor]
    parameters: tuple[str, ...] = ()
    fresh: set[str] = field(default_factory=set)


def add_node(draw: Draw, operator: type[Operator]) -> None:
    """Add a node of the operator, if one is found that goes with what is there."""
    for _ in range(TRIES):
        sketch, wanted = _sketched(draw, operator)
        outputs = _outputs_allowed(operator, sketch, wanted)
        if outputs is not None:
            _realise(draw, operator, sketch, wanted, outputs)
            return


def _sketched(draw: Draw, operator: type[Operator]) -> tuple[Sketch, _Wanted]:
    sketch = Sketch()
    add_constants(draw, operator, sketch, free=True)
    if operator.forms:
        wanted = _by_form(draw, operator, sketch, _form(draw, operator))
    else:
        wanted = _alike(draw, operator, sketch)
    add_constants(draw, operator, sketch, free=False)
    return sketch, wanted


def _form(draw: Draw, operator: type[Operator]) -> ShapeForm:
    """A form that goes with a value that is there, seldom any."""
    there = draw.existing()
    rank = 1 if there is None else len(there.shape)
    fitting = [form for form in operator.forms if rank in (len(form.shapes[name]) for name in _computed(form))]
    return draw.pick(fitting if fitting and draw.chance(0.95) else operator.forms)


def _computed(form: ShapeForm) -> list[str]:
    """The inputs that are no parameters in practice."""
    return [name for name in form.shapes if name not in form.parameters]


def _names(draw: Draw, operator: type[Operator]) -> list[str]:
    """Inputs of a node: optional ones by chance, families in any number."""
    names: list[str] = []
    for pattern in operator.inputs:
        stem = pattern.rstrip("?#")
        if pattern.endswith("#"):
            names += [f"{stem}{index}" for index in range(draw.pick([0, 1, 1, 2, 2, 3, 5]))]
        elif not pattern.endswith("?") or draw.chance(0.6):
            names.append(stem)
    return names


def _alike(draw: Draw, operator: type[Operator], sketch: Sketch) -> _Wanted:
    """Inputs of one shape, or of a single element."""
    names = _names(draw, operator)
    if not names:
        return _Wanted({})
    draw.generator.shuffle(names)  # the one that is chosen may be the one that is repeated, or not
    first = draw.existing()
    shape = (draw.size(),) if first is None else first.shape
    sketch.shapes = {name: (1,) if draw.chance(0.1) else shape for name in names}
    sketch.shapes[names[0]] = shape
    if first is None:
        return _Wanted({}, fresh={names[0]})
    again = {name: first for name in names[1:] if sketch.shapes[name] == shape and draw.chance(0.1)}
    return _Wanted({names[0]: first, **again})


def _by_form(draw: Draw, operator: type[Operator], sketch: Sketch, form: ShapeForm) -> _Wanted:
    """Inputs as a form says; the first one that is neither parameter nor state is a value that is there."""
    sizes: dict[str, int] = {name: value for name, value in sketch.constants.items() if type(value) is int}

    def unknown(name: str) -> int:
        found = draw.size()
        return found if name == "_" else sizes.setdefault(name, found)

    for name, text in form.constants.items():
        sizes[name] = sketch.constants[name] = size_of(text, sizes, unknown)
    wanted = _Wanted({}, form.parameters)
    forms = _family_forms(form, _names(draw, operator))
    for name in sorted(forms, key=lambda name: name in form.parameters):
        axes, state = forms[name], name in operator.updates
        if all(axis.isidentifier() and axis not in sizes for axis in axes) and name not in form.parameters:
            found = _state(draw, len(axes)) if state else draw.existing(_of_rank(len(axes)))
            if found is not None:
                wanted.chosen[name] = found
                sizes |= {axis: size for axis, size in zip(axes, found.shape, strict=True) if axis != "_"}
                sketch.shapes[name] = found.shape
                continue
            wanted.fresh |= set() if state else {name}
        large = unknown if name not in form.parameters or len(axes) < 2 else _often_large(draw, sizes)
        sketch.shapes[name] = tuple(size_of(axis, sizes, large) for axis in axes)
    sketch.shapes = {name: sketch.shapes[name] for name in forms}
    return wanted


def _family_forms(form: ShapeForm, names: list[str]) -> dict[str, tuple[str, ...]]:
    """{input: its sizes} of the inputs that the node has and the form mentions."""
    shapes = form.shapes
    families = {name: shapes[f"{name.rstrip('0123456789')}#"] for name in names if name not in shapes}
    return {name: shapes.get(name) or families.get(name, ()) for name in names}


def _of_rank(rank: int) -> Callable[[Tensor], bool]:
    return lambda tensor: len(tensor.shape) == rank


def _state(draw: Draw, rank: int) -> Tensor | None:
    """A state, seldom another value, to be assigned."""
    table = draw.store.states if draw.chance(0.9) else draw.values
    found = [tensor for tensor in table.values() if len(tensor.shape) == rank]
    return draw.pick(found) if found else None


def _often_large(draw: Draw, sizes: dict[str, int]) -> Callable[[str], int]:
    """Sizes of matrices: large enough, often, to be worth sharing out."""
    return lambda name: sizes.setdefault(name, draw.pick([draw.size(), draw.integer(16, 80), draw.integer(32, 100)]))


# ---- whether a sketch is legal ---------------------------------------------------------------------------------------


def _outputs_allowed(operator: type[Operator], sketch: Sketch, wanted: _Wanted) -> int | None:
    """The number of outputs with which the rules accept the sketch; None if they never do."""
    if sum(map(prod, sketch.shapes.values())) > MOST_ELEMENTS:
        return None
    counts = range(MOST_OUTPUTS) if operator.outputs is None else (operator.outputs,)
    tensors = {
        name: wanted.chosen.get(name) or Tensor(name, PLACEHOLDER, shape) for name, shape in sketch.shapes.items()
    }
    for count in counts:
        try:
            _bound(operator, tensors, sketch, ["int32"] * count)
        except FemtoError:
            continue
        return count
    return None


def _bound(
    operator: type[Operator], tensors: Mapping[str, Tensor], sketch: Sketch, types: list[str]
) -> tuple[Node, tuple[Shape, ...], tuple[Range, ...]]:
    """A node that its operator accepts, with the shapes and ranges of its results. FemtoError if it does not."""
    outputs = tuple(Tensor(str(index), dtype, ()) for index, dtype in enumerate(types))
    node = Node("", operator.name, dict(tensors), outputs, dict(sketch.constants))
    bound = operator(node, NodePlace("random", "ARITH", 0, node))
    shapes = {argument: tensors[argument].shape for argument in bound.arguments}
    ranges = {argument: _range(operator, argument, tensors[argument]) for argument in bound.arguments}
    bound.check(shapes)
    bound.check_values(ranges)
    return node, bound.shapes(shapes), bound.ranges(ranges)


def _range(operator: type[Operator], argument: str, tensor: Tensor) -> Range:
    return BOOLEAN if argument in operator.booleans else of_bits(tensor.bits or 32)


# ---- tensors for a sketch --------------------------------------------------------------------------------------------


def _realise(draw: Draw, operator: type[Operator], sketch: Sketch, wanted: _Wanted, outputs: int) -> None:
    tensors = {name: _tensor(draw, operator, name, shape, wanted) for name, shape in sketch.shapes.items()}
    if {name: tensor.shape for name, tensor in tensors.items()} != sketch.shapes:
        return
    if any(rule.of_values for rule in operator.rules.values()):
        tensors = {name: _own(draw, operator, name, tensor) for name, tensor in tensors.items()}
    names = list(tensors)
    if draw.chance(0.3):  # the order of inputs in a file means nothing
        draw.generator.shuffle(names)
    tensors = {name: tensors[name] for name in names}
    try:
        node, shapes, ranges = _bound(operator, tensors, sketch, ["int32"] * outputs)
    except FemtoError:  # the values turned out wider than in the sketch
        return
    made = tuple(
        draw.output(shape, max(2, bits_of(values)))
        for shape, values in zip(shapes[:outputs], ranges[:outputs], strict=True)
    )
    draw.add(replace(node, name=draw.store.name(), outputs=made))
    states = [tensors[name] for name in operator.updates if name in tensors]
    for state, values in zip(states, ranges[outputs:], strict=True):
        if state.name in draw.values or draw.chance(0.3):
            draw.update(state, bits_of(values))


def _tensor(draw: Draw, operator: type[Operator], name: str, shape: Shape, wanted: _Wanted) -> Tensor:
    if name in wanted.chosen:
        return wanted.chosen[name]
    if name in operator.updates:
        return draw.state(shape)
    if name in wanted.fresh:
        return draw.parameter(shape)
    if name not in wanted.parameters:
        return draw.like(shape)
    matrix = len(shape) > 1
    if draw.chance(0.07 if matrix else 0.35) and prod(shape) <= (MOST_COMPUTED if matrix else prod(shape)):
        return draw.like(shape)
    return draw.parameter(shape, draw.matrix_bits() if matrix else None)


def _own(draw: Draw, operator: type[Operator], name: str, tensor: Tensor) -> Tensor:
    """The value under a name that nothing else will ever write: rules about values hold for all that a name holds."""
    bits = tensor.bits or 32
    op, constants = ("gt0", {}) if name in operator.booleans else ("shift", {"shamt": 0, "bw": bits})
    result = Tensor(draw.store.name(), f"int{bits}", tensor.shape)
    draw.add(Node("", op, {"x": tensor}, (result,), constants))
    del draw.values[result.name]
    return result


# ---- operators with bodies, from their examples ----------------------------------------------------------------------


def add_example(draw: Draw, operator: type[Operator]) -> None:
    """Add a node like one of the operator's examples, with values that are there or made."""
    example = draw.pick(operator.shown_examples())
    constants = example_constants(operator, example)
    inputs = {
        name: draw.state(shape) if name in operator.updates else draw.like(shape)
        for name, shape in example.shapes.items()
    }
    bodies = {branch: _renamed(body, draw) for branch, body in example.bodies.items()}
    if {name: tensor.shape for name, tensor in inputs.items()} != dict(example.shapes):
        return
    op = None if operator is Call else operator.name
    shapes = [tensor.shape for tensor in example_network(operator, example).frame.nodes[-1].outputs]
    draw.node(op, inputs, [32] * len(shapes), constants, bodies, shapes)


def _renamed(graph: Graph, draw: Draw) -> Graph:
    """The graph with new names for everything, since all graphs of a network share one table of names."""
    names: dict[str, str] = {}

    def tensor(one: Tensor) -> Tensor:
        return replace(one, name=names.setdefault(one.name, draw.store.name()))

    def inside(body: Graph) -> Graph:
        nodes = [
            replace(
                node,
                inputs={key: tensor(one) for key, one in node.inputs.items()},
                outputs=tuple(map(tensor, node.outputs)),
                subgraphs={key: inside(nested) for key, nested in node.subgraphs.items()},
            )
            for node in body.nodes
        ]
        groups = (tuple(map(tensor, group)) for group in (body.inputs, body.outputs, body.parameters))
        given, made, parameters = groups
        return replace(body, inputs=given, outputs=made, parameters=parameters, nodes=tuple(nodes))

    return inside(graph)


# ---- all choices -----------------------------------------------------------------------------------------------------


def compiled_operators() -> dict[str, type[Operator]]:
    """Every operator that a program may contain, and the plain call."""
    found = {name: cls for name, cls in OPERATORS.items() if cls.refusal is None and not cls.host_only}
    return {**found, Call.name: Call}


def sampler(operator: type[Operator]) -> Sampler:
    """What adds a node of the operator to a draw."""
    if operator.name in BODIES:
        return BODIES[operator.name]
    if operator.bodies:
        return lambda draw: add_example(draw, operator)
    return lambda draw: add_node(draw, operator)


CHOICES: Mapping[str, Choice] = {
    **{
        name: Choice(sampler(cls), WEIGHTS.get(name, ORDINARY), nests=bool(cls.bodies) or cls is Call)
        for name, cls in compiled_operators().items()
    },
    **PATTERNS,
}
