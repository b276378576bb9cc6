"""All operators by name, collected from the modules of ``fqir.operators``: to add one, write its class there."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from types import MappingProxyType, ModuleType

from femtodriver.fqir import operators
from femtodriver.fqir.graph import Node
from femtodriver.fqir.location import NAME_CHARACTERS, NodePlace, named
from femtodriver.fqir.operators.control_flow import Call
from femtodriver.fqir.operators.operator import Operator

CLOSE_NAMES = 3
LIKENESS = 0.7


def operator_modules() -> list[ModuleType]:
    """The modules of ``fqir.operators``, by name."""
    names = sorted(entry.name for entry in pkgutil.iter_modules(operators.__path__))
    return [importlib.import_module(f"{operators.__name__}.{name}") for name in names]


def collected(modules: Iterable[ModuleType]) -> dict[str, type[Operator]]:
    """{name: class} of the operators that the modules define, in the order of their definition.

    A class without a name is a base of others. ``Call`` has no name that a graph could use: it is what a node
    without an operator does. TypeError if two classes have one name, or one class of the producer's files.
    """
    found: dict[str, type[Operator]] = {}
    producer_classes: dict[str, type[Operator]] = {}
    for module in modules:
        for item in vars(module).values():
            if not isinstance(item, type) or not issubclass(item, Operator) or item.__module__ != module.__name__:
                continue
            if item is Call or not item.name:
                continue
            for key, table in ((item.name, found), (item.producer_class, producer_classes)):
                if table.setdefault(key, item) is not item:
                    raise TypeError(f"operator {key} must be defined once, not by {table[key]} and {item}.")
    return found


OPERATORS: Mapping[str, type[Operator]] = MappingProxyType(collected(operator_modules()))


def operator_class(node: Node) -> type[Operator] | None:
    """The class of a node's operator; None if the operator is unknown."""
    return Call if node.op is None else OPERATORS.get(node.op)


def close_names(name: str) -> list[str]:
    """Names of known operators that resemble ``name``, best first, at most three."""
    return difflib.get_close_matches(name[:NAME_CHARACTERS].lower(), OPERATORS, CLOSE_NAMES, LIKENESS)


def bind(node: Node, place: NodePlace) -> Operator:
    """The operator of a node, with checked constants and input names.

    UnsupportedError for operators that are unknown or cannot be executed, ModelError for wrong nodes.
    """
    found = operator_class(node)
    if found is not None:
        return found(node, place)
    name = node.op or ""
    close = close_names(name)
    meant = f"Did you mean {' or '.join(close)}?" if close else "It may come from a newer fmot; export with 3.21.7."
    raise place.unsupported(f"operator must be one of the {len(OPERATORS)} known ones, not {named(name)}", meant)
