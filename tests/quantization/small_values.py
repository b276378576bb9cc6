"""Small networks whose values are easily worked out."""

from __future__ import annotations

from femtodriver.fqir.graph import Graph, Network, Node, Tensor


def tensor(name: str, size: int, bits: int = 8, quanta: int | None = -3) -> Tensor:
    """A vector of a width."""
    return Tensor(name, f"fqint{bits}", (size,), None, quanta)


def add(x: Tensor, y: Tensor, out: Tensor) -> Node:
    """out = Sat(x + y)."""
    constants = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 8, "bw_x": 8, "bw_y": 8, "rounded": False}
    return Node(out.name, "vvadd", {"x": x, "y": y}, (out,), constants)


def network(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], *nodes: Node) -> Network:
    """A network without state."""
    frame = Graph("ARITH", inputs, outputs, (), nodes)
    return Network("small", Graph("MAIN", inputs, outputs, (), ()), frame, None)


def clipping_network() -> Network:
    """positive = relu(Sat8(x + x)), three elements of 8 bits."""
    x, doubled, positive = (tensor(name, 3) for name in ("x", "doubled", "positive"))
    relu = Node("relu", "relu", {"x": doubled}, (positive,))
    return network((x,), (positive,), add(x, x, doubled), relu)


def comparing_network() -> Network:
    """above = x > 0, three elements in a type of 8 bits."""
    x, above = tensor("x", 3), tensor("above", 3)
    return network((x,), (above,), Node("gt0", "gt0", {"x": x}, (above,), {"bw": 8}))


def looping_network() -> Network:
    """Three times: next = Sat8(carried + carried), from x on."""
    x, carried, following, last = (tensor(name, 1) for name in ("x", "carried", "next", "last"))
    body = Graph("body", (carried,), (following, following), (), (add(carried, carried, following),))
    constants = {
        "n_iter": 3,
        "n_recurse": 1,
        "n_sliced": 0,
        "n_scope": 0,
        "n_concat": 0,
        "n_final": 1,
        "block_size_sliced": (),
        "reverse_sliced": (),
        "reverse_concat": (),
    }
    loop = Node("loop", "loop", {"x_recurse_0": x}, (last,), constants, {"body": body})
    return network((x,), (last,), loop)
