"""Resource variables: which state a network keeps from frame to frame, and how it starts."""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.records import MAIN_GRAPH, FileTensor
from femtodriver.tflite.value_rules import activation, same_quantization


@dataclass(frozen=True, eq=False)
class StateVariable:
    """State, known by ``container`` and ``name``; ``start`` is the constant that a CALL_ONCE assigns to it."""

    container: str
    name: str
    start: FileTensor


class VariableRules:
    """What is known of the variables at one place in the order of execution."""

    def __init__(self) -> None:
        self.starts: dict[tuple[str, str], StateVariable] = {}
        self._values: dict[tuple[str, str], FileTensor] = {}
        self._handles: dict[tuple[int, int], tuple[str, str]] = {}
        self._in_use = False

    def apply(self, op: CheckedOperator) -> None:
        """Follow an operator of state. An error for one that reads what is not set, or changes its kind."""
        rules = {"VAR_HANDLE": self._handle, "READ_VARIABLE": self._read, "ASSIGN_VARIABLE": self._assign}
        if op.operator.name in rules:
            rules[op.operator.name](op)

    def start(self, op: CheckedOperator) -> None:
        """Follow an operator of a graph that a CALL_ONCE runs: only these variables have a value at the start."""
        if op.operator.name not in ("VAR_HANDLE", "ASSIGN_VARIABLE"):
            raise op.unsupported("a graph that CALL_ONCE runs must have VAR_HANDLE and ASSIGN_VARIABLE only")
        if op.operator.name == "VAR_HANDLE":
            self._handle(op)
            return
        if op.input(1).data is None:
            raise op.unsupported("a graph that CALL_ONCE runs must assign constants only", op.input(1))
        self._assign(op)
        container, name = self._key(op)
        self.starts[container, name] = StateVariable(container, name, op.input(1))

    def check_call(self, op: CheckedOperator) -> None:
        """A CALL_ONCE comes before variables are used: it runs in the first frame only."""
        if self._in_use:
            raise op.unsupported("must come before variables are read or assigned")

    def _handle(self, op: CheckedOperator) -> None:
        if op.output().kind != "RESOURCE":
            raise op.refuse(f"the output must be RESOURCE, not {op.output().kind}")
        container, name = (str(op.operator.options[option]) for option in ("container", "shared_name"))
        self._handles[op.graph, op.output().index] = container, name

    def _read(self, op: CheckedOperator) -> None:
        self._in_use = True
        held = self._values.get(self._key(op))
        if held is None:
            raise op.refuse(
                "the variable must have been assigned before it is read, by a CALL_ONCE or an ASSIGN_VARIABLE"
            )
        _check_alike(op, op.output(), held)

    def _assign(self, op: CheckedOperator) -> None:
        self._in_use = self._in_use or op.graph == MAIN_GRAPH
        key = self._key(op)
        activation(op, op.input(1))
        _check_alike(op, op.input(1), self._values.setdefault(key, op.input(1)))

    def _key(self, op: CheckedOperator) -> tuple[str, str]:
        found = self._handles.get((op.graph, op.input().index))
        if found is None:
            raise op.refuse(f"tensor {op.input().index} must come from a VAR_HANDLE")
        return found


def _check_alike(op: CheckedOperator, tensor: FileTensor, held: FileTensor) -> None:
    if tensor.shape != held.shape or not same_quantization(activation(op, tensor), activation(op, held)):
        raise op.refuse(
            f"tensor {tensor.index} must have the shape {list(held.shape)}, scale and zero point that the variable was "
            f"given first; it has the shape {list(tensor.shape)}"
        )
