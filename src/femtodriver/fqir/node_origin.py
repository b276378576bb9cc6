"""Where in the user's model a node comes from, as far as the producer has written it down.

Producers name a node after the module whose ``forward`` contains it (``model.gru.layers.0.patchlist.2``) and keep the
line of the model's source that it was traced from. Nodes that they add themselves, such as the steps of a table
look-up, have a name without dots and no source; they follow the node that they are for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from femtodriver.fqir.graph import Network

MOST_CHARACTERS = 120
# What producers add to the modules that the user knows: lists of operations, and the product of a linear layer.
_ADDED = re.compile(r"\.patchlist\.\d+(?=\.|$)|\.multiplier$")
_PATH = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")
_STEP = re.compile(r"[A-Za-z0-9_]+")
_SHORT_LINE = re.compile(r"[A-Za-z0-9_.+-]+:\d{1,9}")
_LINE = re.compile(r'File "(?:[^"\n]*[/\\])?([A-Za-z0-9_.+-]+)", line (\d{1,9})\b')


@dataclass(frozen=True)
class NodeOrigin:
    """``module``: path of the module, ``gru.layers.0``; the name of the whole model for what stands in its own
    ``forward``. ``step``: the producer's name of a node that it added. ``line``: ``file.py:433``, never with a folder.
    Each is "" where nothing is known.
    """

    module: str = ""
    step: str = ""
    line: str = ""


NOWHERE = NodeOrigin()


def source_line(text: object) -> str:
    """``file.py:433`` from a producer's note on where a node was traced; "" where it names no file."""
    found = _LINE.match(text.lstrip()) if isinstance(text, str) else None
    return f"{found[1]}:{int(found[2])}" if found and len(found[1]) <= MOST_CHARACTERS else ""


def is_source_line(text: str) -> bool:
    """Whether the text is one that ``source_line`` gives, other than ""."""
    return len(text) <= MOST_CHARACTERS + 10 and _SHORT_LINE.fullmatch(text) is not None


class OriginFinder:
    """Origins of the nodes of a network, asked for in the order in which the nodes are executed."""

    def __init__(self, network: Network) -> None:
        self._roots = {node.name for node in network.main.nodes if node.op is None and _PATH.fullmatch(node.name)}
        self._module = ""

    def of(self, name: str, line: str) -> NodeOrigin:
        """The origin of the next node, from its name and its line."""
        known = len(name) <= MOST_CHARACTERS
        if known and _PATH.fullmatch(name) and name.partition(".")[0] in self._roots:
            self._module = self._path(name)
            return NodeOrigin(self._module, "", line)
        return NodeOrigin(self._module, name if known and _STEP.fullmatch(name) else "", line)

    @staticmethod
    def _path(name: str) -> str:
        """The module's path below the whole model; the model's name for what is directly in it."""
        root, _, below = _ADDED.sub("", name).partition(".")
        return below or root
