"""What ``forward`` must not say, rule by rule: each looks at the parsed source of one module."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from femtodriver.pytorch.forward_source import OwnModule, calls_of, starts_with_self
from femtodriver.pytorch.tracing_advice import CONSTANT, FUNCTIONS, ONE_FRAME, OVER_TIME, SLICED_FEATURES


@dataclass(frozen=True)
class TimeAxis:
    """Which axis of the calibration is time; None: none is."""

    time: int | None


Row = tuple[str, str, str, bool]
"""Place, what is there, the way out, and whether it is sure to fail."""
_RECURRENT = ("GRU", "LSTM", "RNN")
_TOOLS = ("torch", "fmot", "math", "builtins")
_OWN_FORWARD = "put its lines into forward, or into the forward of a module of its own"
_REDUCTIONS = ("mean", "sum", "var", "std")


def forward_blocks(one: OwnModule, supported: Collection[Any], axes: TimeAxis | None) -> Iterator[Row]:
    """What the rules find in the ``forward`` of a module; without ``axes`` nothing is said of sums."""
    forward = one.method("forward")
    if forward is None:
        return
    for rule in _RULES:
        yield from rule(one, forward)
    yield from _functions(one, forward, supported)
    if axes is not None:
        yield from _reductions(one, forward, axes.time)


def _arguments(one: OwnModule, forward: ast.FunctionDef) -> Iterator[Row]:
    given, place = forward.args, one.place(forward)
    by_place = [*given.posonlyargs, *given.args]
    first = by_place[0].arg if by_place else "none"
    if first != "self":
        yield place, f"the first argument of forward is {first!r}", "call it self", True
    if given.vararg or given.kwarg or given.kwonlyargs:
        yield place, "forward has starred or keyword-only arguments", "give it plain ones, one for each input", True
    numbers = [default for default in given.defaults if not (isinstance(default, ast.Constant) and not default.value)]
    if numbers:
        yield place, "forward has an argument with a default", "make it an attribute of self", True


def _methods(one: OwnModule, forward: ast.FunctionDef) -> Iterator[Row]:
    children = dict(one.module.named_children())
    for call, name, base in calls_of(forward):
        if isinstance(base, ast.Call) and ast.unparse(base.func) == "super":
            yield one.place(call), f"forward calls super().{name}", _OWN_FORWARD, True
        if not (isinstance(base, ast.Name) and base.id == "self") or name in children:
            continue
        found = getattr(one.module, name, None)
        if isinstance(found, (types.FunctionType, types.MethodType)):
            yield one.place(call), f"forward calls the method or function self.{name}", _OWN_FORWARD, True


def _helpers(one: OwnModule, forward: ast.FunctionDef) -> Iterator[Row]:
    for call, name, base in calls_of(forward):
        found = one.globals.get(name) if base is None else None
        if isinstance(found, types.FunctionType) and found.__module__.split(".")[0] not in _TOOLS:
            yield one.place(call), f"forward calls the function {name}", _OWN_FORWARD, True


def _foreign_names(one: OwnModule, forward: ast.FunctionDef) -> Iterator[Row]:
    """Numbers of the file, modules such as NumPy, imports."""
    local = {node.id for node in ast.walk(forward) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    local |= {argument.arg for argument in forward.args.args}
    for node in ast.walk(forward):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield one.place(node), "forward imports something", "import it at the top of the file", True
        if not isinstance(node, ast.Name) or node.id in local:
            continue
        found = one.globals.get(node.id)
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            way = f"keep it as self.{node.id.lower()} = {node.id} in __init__"
            yield one.place(node), f"forward uses {node.id}, a number of the file", way, True
        elif getattr(found, "__name__", "") == "numpy":
            yield one.place(node), "forward uses NumPy", "use the functions of torch", True


def _states(one: OwnModule, forward: ast.FunctionDef) -> Iterator[Row]:
    """States that are given to a recurrent layer, and tensors that are no parameters."""
    children = dict(one.module.named_children())
    for call, name, base in calls_of(forward):
        layer = type(children.get(name)).__name__ if starts_with_self(base) else ""
        if layer in _RECURRENT and len(call.args) + len(call.keywords) > 1:
            way = f"call self.{name}(x): the layer keeps its state from one frame to the next by itself"
            yield one.place(call), f"a state that is given to nn.{layer}", way, True
    tensors = {**dict(one.module.named_buffers(recurse=False)), **_plain_tensors(one.module)}
    for node in ast.walk(forward):
        if isinstance(node, ast.Attribute) and node.attr in tensors and starts_with_self(node.value):
            what = f"self.{node.attr}, a tensor that is no parameter (a buffer)"
            yield one.place(node), what, CONSTANT, True


def _plain_tensors(module: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if type(value).__name__ == "Tensor"}


def _slices(one: OwnModule, forward: ast.FunctionDef) -> Iterator[Row]:
    for node in ast.walk(forward):
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
            continue
        if not isinstance(node.ctx, ast.Load) or not any(map(_picks, node.slice.elts)):
            continue
        places = node.slice.elts
        features = isinstance(places[0], ast.Constant) or (len(places) > 2 and _picks(places[-1]))
        way = SLICED_FEATURES if features and _is_range(places[-1]) else ONE_FRAME
        yield one.place(node), f"the slice {ast.unparse(node)}", way, True


def _picks(index: ast.expr) -> bool:
    """Whether an index takes a part of its axis."""
    whole = isinstance(index, ast.Slice) and index.lower is None and index.upper is None and index.step is None
    return not whole and not (isinstance(index, ast.Constant) and index.value is ...)


def _is_range(index: ast.expr) -> bool:
    return isinstance(index, ast.Slice)


def _branches(one: OwnModule, forward: ast.FunctionDef) -> Iterator[Row]:
    kinds: dict[type[ast.AST], str] = {ast.If: "if", ast.IfExp: "if", ast.While: "while", ast.Assert: "assert"}
    for node in ast.walk(forward):
        kind = kinds.get(type(node))
        if kind is not None:
            way = "leave it out: every frame takes the same way through the network"
            yield one.place(node), f"the {kind} in forward", way, False
        if isinstance(node, ast.Compare) and not isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            yield one.place(node), f"the comparison {ast.unparse(node)}", FUNCTIONS["where"], False
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict) and len(node.value.keys) > 1:
            yield one.place(node), "a dict of several outputs", "return a tuple", False


def _functions(one: OwnModule, forward: ast.FunctionDef, supported: Collection[Any]) -> Iterator[Row]:
    for call, name, base in calls_of(forward):
        known = f"aten::{name}" in supported and name != "permute"
        if base is not None and name in FUNCTIONS and not known and not starts_with_self(base):
            if f"F.{name}" in supported or _is_of_python(one, base):
                continue
            yield one.place(call), f"the function {name}", FUNCTIONS[name], True


def _is_of_python(one: OwnModule, base: ast.expr) -> bool:
    """Whether it is a module other than torch's: ``math``, ``np``."""
    found = one.globals.get(base.id) if isinstance(base, ast.Name) else None
    return isinstance(found, types.ModuleType) and not found.__name__.startswith("torch")


def _reductions(one: OwnModule, forward: ast.FunctionDef, time_axis: int | None) -> Iterator[Row]:
    for call, name, base in calls_of(forward):
        if name not in _REDUCTIONS or base is None or starts_with_self(base):
            continue
        words = {word.arg: word.value for word in call.keywords}
        of_torch = isinstance(base, ast.Name) and isinstance(one.globals.get(base.id), types.ModuleType)
        rest = call.args[1:] if of_torch else call.args
        axis = words.get("dim", rest[0] if rest else None)
        if axis is not None and time_axis is not None and ast.unparse(axis) in (str(time_axis), str(time_axis - 3)):
            yield one.place(call), f"the {name} over time", OVER_TIME, True
        elif "keepdim" not in words:
            yield one.place(call), f"the {name} without keepdim", "add keepdim=True", False


Rule = Callable[[OwnModule, ast.FunctionDef], Iterator[Row]]
_RULES: tuple[Rule, ...] = (_arguments, _methods, _helpers, _foreign_names, _states, _slices, _branches)
