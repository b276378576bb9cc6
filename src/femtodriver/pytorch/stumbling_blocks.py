"""Known stumbling blocks of tracing, found in the source and the layers of a model before fmot sees it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from femtodriver.pytorch.forward_rules import TimeAxis, forward_blocks
from femtodriver.pytorch.forward_source import OwnModule, calls_of, own_modules
from femtodriver.pytorch.tracing_advice import LAYERS

_MOST_SHOWN = 3
_RECURRENT = ("GRU", "LSTM", "RNN")
_TORCH = "torch.nn.modules."
_CONTAINERS = "torch.nn.modules.container"


@dataclass(frozen=True)
class StumblingBlock:
    """``place``: FILE.py:LINE, "" where nobody knows. ``what`` fmot does not trace, and the ``way`` out.

    ``sure``: whether tracing is known to fail; else it explains a failure if there is one.
    """

    place: str
    what: str
    way: str
    sure: bool = True

    @property
    def sentence(self) -> str:
        """In one sentence."""
        return f"{self.place or 'the module'}: {self.what}, which fmot does not trace; {self.way}."


def stumbling_blocks(model: Any, supported: Collection[Any], axes: TimeAxis | None = None) -> list[StumblingBlock]:
    """All of them, those of layers first. ``supported``: classes and names, as ``fmot.supported_ops()`` gives them.

    ``axes``: None where they are not known yet; then nothing is said of sums and means.
    """
    own = own_modules(model)
    found = [*_layers(model, own, supported), *_without_source(own)]
    for one in own:
        found += [StumblingBlock(*row) for row in forward_blocks(one, supported, axes)]
    return list(dict.fromkeys(found))


def told(blocks: list[StumblingBlock]) -> str:
    """The first one as a sentence, and the next ones in brief."""
    others = []
    for place, one in enumerate(blocks[1:], 1):
        new = all(one.way != before.way for before in blocks[:place])
        others.append(f"{one.place} {one.what}{f' ({one.way})' if new else ''}".strip())
    shown = "; ".join(others[:_MOST_SHOWN]) + ("; ..." if len(others) > _MOST_SHOWN else "")
    return blocks[0].sentence + (f" And {len(others)} more: {shown}." if others else "")


def _without_source(own: list[OwnModule]) -> Iterator[StumblingBlock]:
    for one in own:
        if one.tree is None:
            yield StumblingBlock(
                "", f"the source of the class {one.name} is in no file", "write the class into a .py file"
            )


def _layers(model: Any, own: list[OwnModule], supported: Collection[Any]) -> Iterator[StumblingBlock]:
    for path, module in _visible(model, ""):
        kind = type(module)
        if "parametrizations" in dict(module.named_children()):
            yield StumblingBlock(
                _place(model, path, kind.__name__.removeprefix("Parametrized"), own),
                f"weights of {path or 'the module'} that are computed (a parametrization)",
                "make them plain with torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')",
            )
        if not kind.__module__.startswith(_TORCH):
            continue
        if kind.__name__ in LAYERS and kind not in supported:
            place = _place(model, path, kind.__name__, own)
            yield StumblingBlock(place, f"nn.{kind.__name__}", LAYERS[kind.__name__])
        if kind.__name__ in _RECURRENT:
            yield from _recurrent(model, path, module, own)


def _visible(module: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The layers that the user has named, and where they are; not what layers of torch and fmot consist of."""
    kind = type(module)
    if kind.__module__.startswith("fmot."):
        return
    yield path, module
    if not kind.__module__.startswith("torch.") or kind.__module__ == _CONTAINERS:
        for name, child in module.named_children():
            yield from _visible(child, f"{path}.{name}" if path else name)


def _recurrent(model: Any, path: str, layer: Any, own: list[OwnModule]) -> Iterator[StumblingBlock]:
    kind = type(layer).__name__
    place = _place(model, path, kind, own)
    if layer.bidirectional:
        way = f"use nn.{kind} in one direction; a processor that hears a stream does not know later frames"
        yield StumblingBlock(place, f"a bidirectional nn.{kind}", way)
    if not layer.batch_first:
        way = "set batch_first=True, and give (clips, frames, features)"
        yield StumblingBlock(place, f"an nn.{kind} with the batch on axis 1", way)
    if path == "":
        way = "give a module whose forward is `y, _ = self.layer(x)` and returns y"
        yield StumblingBlock(place, f"an nn.{kind} by itself, which gives its state too", way)


def _assigned(tree: ast.AST | None, name: str, calls: list[ast.Call]) -> ast.Call | None:
    """The one of the calls whose result becomes ``self.NAME``."""
    for node in ast.walk(tree or ast.Module([], [])):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Attribute) and t.attr == name for t in node.targets):
            return next((call for call in calls if call in list(ast.walk(node.value))), None)
    return None


def _place(model: Any, path: str, kind: str, own: list[OwnModule]) -> str:
    """Where a layer is made: in the class that has it, else in any class of the user's."""
    parts = path.split(".")[:-1]
    owners = [model.get_submodule(".".join(parts[:end])) for end in range(len(parts), -1, -1)]
    ordered = sorted(own, key=lambda one: next((i for i, m in enumerate(owners) if type(m) is type(one.module)), 99))
    name = path.rpartition(".")[2]
    for one in ordered:
        calls = [call for call, called, _ in calls_of(one.tree or ast.Module([], [])) if called == kind]
        if calls:
            return one.place(_assigned(one.tree, name, calls) or calls[0])
    return ordered[0].place() if ordered and ordered[0].file else ""
