"""What reports know of a layer of the network."""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.fqir.node_origin import NOWHERE, NodeOrigin


@dataclass(frozen=True)
class SourceLayer:
    """What an operation came from: node number, FQIR operator and first output; ``elements`` of all outputs;
    ``origin`` in the user's model; ``holds``: buffers in which its values are when it has been lowered."""

    name: str
    op: str
    source: str
    elements: int
    origin: NodeOrigin = NOWHERE
    holds: tuple[str, ...] = ()
