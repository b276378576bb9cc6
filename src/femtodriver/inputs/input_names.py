"""Inputs under the other names by which a network's users know them, such as those of a TFLite file's signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from femtodriver.inputs.input_spec import InputSpec


def by_own_names(inputs: Any, specs: Sequence[InputSpec]) -> Any:
    """Frames with the names of the network: a mapping, or a list of mappings; anything else as it is.

    A name that two inputs have, or whose input is given by its own name too, is left as it is, for the check of names.
    """
    names = _names(specs)
    if not names:
        return inputs
    if isinstance(inputs, (list, tuple)):
        return [_renamed(frame, names) if isinstance(frame, Mapping) else frame for frame in inputs]
    return _renamed(inputs, names) if isinstance(inputs, Mapping) else inputs


def _renamed(inputs: Mapping[Any, Any], names: Mapping[Any, str]) -> Mapping[Any, Any]:
    if not any(name in names for name in inputs):
        return inputs
    wanted = [names.get(name, name) for name in inputs]
    if len(set(wanted)) < len(wanted):
        return inputs
    return dict(zip(wanted, inputs.values(), strict=True))


def _names(specs: Sequence[InputSpec]) -> dict[Any, str]:
    found: dict[Any, str] = {}
    own = {spec.name for spec in specs}
    twice = set()
    for spec in specs:
        for name in spec.other_names:
            if name in found:
                twice.add(name)
            found[name] = spec.name
    return {name: target for name, target in found.items() if name not in own | twice}
