"""The packaged network LOOPBACK: what goes in comes out. Built from our own records, no file is read."""

from __future__ import annotations

from femtodriver.fqir.graph import Graph, Network, Node, Tensor

NAME = "LOOPBACK"
WIDTH = 16


def loopback() -> Network:
    """Input ``x``, output ``%x.4``, both 16 elements of 16 bits; one node, ``copy``."""
    x = Tensor("x", "fqint16", (WIDTH,))
    y = Tensor("%x.4", "fqint16", (WIDTH,))
    arith = Graph("ARITH", (x,), (y,), (), (Node("loopback", "copy", {"x": x}, (y,)),))
    main = Graph("MAIN", (x,), (y,), (), (), {"ARITH": arith})
    return Network(NAME, main, arith, None)
