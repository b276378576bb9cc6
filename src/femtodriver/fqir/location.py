"""Where in a network an error is: the graph, the node by index and first output, the operator."""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.errors import ModelError, UnsupportedError
from femtodriver.fqir.graph import Network, Node
from femtodriver.safe_text import describe, plain_name, quote

NAME_CHARACTERS = 60
SHOWN_ITEMS = 8

EXPORT_AGAIN = "Correct the graph, or export the model again with fmot."


def named(text: str) -> str:
    """A name from a file, quoted and cut for a message."""
    return quote(text, NAME_CHARACTERS)


def shown(value: object) -> str:
    """A constant from a file as short, harmless text; short lists of plain numbers are spelled out."""
    if isinstance(value, tuple) and len(value) <= SHOWN_ITEMS and not any(isinstance(item, tuple) for item in value):
        return f"[{', '.join(map(describe, value))}]"
    return describe(value)


@dataclass(frozen=True)
class GraphPlace:
    """A graph of a network. ``graph`` is a path such as ``ARITH/5:loop.body``."""

    network: str
    graph: str

    @property
    def text(self) -> str:
        """``network "kws", graph ARITH``."""
        return f"network {named(self.network)}, graph {self.graph}"

    def fault(self, sentence: str, advice: str = EXPORT_AGAIN) -> ModelError:
        """An error for the file's maker. ``sentence`` has the form "subject must be X, not Y"."""
        return ModelError(f"{self.text}: {sentence}. {advice}")

    def unsupported(self, sentence: str, advice: str) -> UnsupportedError:
        """An error about something legal that cannot be executed or compiled."""
        return UnsupportedError(f"{self.text}: {sentence}. {advice}")


def frame_place(network: Network) -> GraphPlace:
    """The frame graph of a network."""
    name = network.frame.name
    return GraphPlace(network.name, plain_name(name, NAME_CHARACTERS) if name else "of a frame")


@dataclass(frozen=True)
class NodePlace(GraphPlace):
    """A node of a graph."""

    index: int
    node: Node

    @property
    def operator(self) -> str:
        """The operator's name, harmless; ``call`` for a plain call of a graph."""
        return plain_name(self.node.op, NAME_CHARACTERS) if self.node.op is not None else "call"

    @property
    def text(self) -> str:
        """``network "kws", graph ARITH, node 3 ("%add.4", operator vvadd)``."""
        first = named(self.node.outputs[0].name) if self.node.outputs else "no output"
        return f"{super().text}, node {self.index} ({first}, operator {self.operator})"

    def nested(self, branch: str) -> GraphPlace:
        """The graph ``branch`` inside this node."""
        return GraphPlace(
            self.network, f"{self.graph}/{self.index}:{self.operator}.{plain_name(branch, NAME_CHARACTERS)}"
        )
