"""What a run may cost, so that a program that never ends does not hang the machine."""

from __future__ import annotations

from femtodriver.errors import MachineFault


class RunBudget:
    """So many instructions of all cores together.

    The machine asks before every slice of a thread how long it may be, and tells afterwards what it has cost. Hosts
    with other limits (time, memory) override both.
    """

    def __init__(self, instructions: int) -> None:
        self.instructions = instructions
        self.left = instructions

    def next_slice(self) -> int:
        """How many instructions may run before the next question, at least 1; MachineFault when nothing is left."""
        if self.left < 1:
            raise MachineFault(f"a frame must end within {self.instructions} instructions.")
        return self.left

    def spend(self, instructions: int, messages: int, words: int) -> None:
        """A slice has run so many instructions and sent so many messages and signals, of so many payload words."""
        self.left -= instructions
