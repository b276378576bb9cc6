"""What has become of layers that have no instructions of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from femtodriver.compiler.fmir.ir import Fmir, Role, walk, writes
from femtodriver.compiler.fmir.rewriting import layers_of
from femtodriver.compiler.passes.drop_dead import drop_dead
from femtodriver.part import Part
from femtodriver.program.description import FUSED, UNUSED, VIEW, LayerFate

# Whoever fills them, it is not a layer before.
_GIVEN = (Role.INPUT, Role.CONST)


def layer_fates(lowered: Fmir, final: Fmir, part: Part) -> dict[int, LayerFate]:
    """The fate of each layer without operations in ``final``, by number; ``lowered``: the network before all passes."""
    ops = list(walk(final.ops))
    alive = {op.layer for op in ops} | {len(final.layers) - 1}
    heirs: dict[int, set[int]] = defaultdict(set)
    for op in ops:
        for served in layers_of(op):
            heirs[served].add(op.layer)
    lowered_ops = list(walk(lowered.ops))
    working = {op.layer for op in lowered_ops}
    needed = {op.layer for op in walk(drop_dead(lowered, part).ops)}
    makers: dict[str, set[int]] = defaultdict(set)
    for op in lowered_ops:
        for view in writes(op):
            makers[view.buffer].add(op.layer)
    fates = {}
    for number, layer in enumerate(final.layers):
        if number in alive:
            continue
        if number in working:
            fates[number] = _worker(heirs.get(number, set()), needed=number in needed)
            continue
        held = [name for name in layer.holds if _made_here(lowered, name, wrote_state=not layer.elements)]
        into = {heir for name in held for maker in makers[name] - {number} for heir in _heirs(maker, alive, heirs)}
        fates[number] = LayerFate(VIEW, tuple(sorted(into)))
    return fates


def _worker(heirs: set[int], *, needed: bool) -> LayerFate:
    return LayerFate(FUSED if heirs or needed else UNUSED, tuple(sorted(heirs)))


def _made_here(lowered: Fmir, name: str, *, wrote_state: bool) -> bool:
    """Whether operations of the frame have made what a layer finds in a buffer; a state's value is that of the last."""
    role = lowered.buffers[name].role if name in lowered.buffers else Role.CONST
    return role not in _GIVEN and (role is not Role.STATE or wrote_state)


def _heirs(layer: int, alive: set[int], heirs: Mapping[int, set[int]]) -> set[int]:
    return {layer} if layer in alive else heirs.get(layer, set())
