"""CALL_ONCE, VAR_HANDLE, READ_VARIABLE and ASSIGN_VARIABLE: states of the network.

A value that is read stays as it was, whatever is assigned later in the frame: so it gets a name of its own.
"""

from __future__ import annotations

from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.network_in_making import NetworkInMaking


def call_once(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The states have their start already."""


def var_handle(op: CheckedOperator, net: NetworkInMaking) -> None:
    """A handle is known by container and name."""
    container, name = (str(op.operator.options[option]) for option in ("container", "shared_name"))
    net.handles[op.output().index] = container, name


def read_variable(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The state as it is now; what was assigned in this frame if there is no start."""
    key = net.handles[op.input().index]
    state = net.state(key)
    net.node(op, "copy", {"x": net.variables[key] if state is None else state}, op.output())


def assign_variable(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The state from now on."""
    key = net.handles[op.input().index]
    value, state = net.value(op, op.input(1)), net.state(key)
    if state is None:
        net.variables[key] = value
    else:
        net.assign(op, state, value)
