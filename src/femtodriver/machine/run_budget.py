"""What a run may cost, so that a program that never ends neither hangs the machine nor fills the host's memory.

Everything is counted, nothing is timed: a program that is stopped is stopped at the same instruction everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.errors import MachineFault

SLICE_INSTRUCTIONS = 256
"""Instructions of a thread between two looks at what it has sent."""
INSTRUCTION_ELEMENTS = 1024
"""Elements that an instruction on vectors or matrices counts for, besides its own."""
DECODING_ELEMENTS = 32
"""Elements that each group of a matrix counts for whenever its weights have changed and are decoded again."""
MESSAGE_WORDS = 64
"""Words that a message or signal counts for, besides its payload."""


@dataclass(frozen=True)
class RunLimits:
    """What one frame may cost, of all cores together.

    instructions: executed ones. elements: of vectors, and groups of matrices (stored or not), with
    ``INSTRUCTION_ELEMENTS`` for each such instruction. words: sent in messages, with ``MESSAGE_WORDS`` for each message
    and signal; they also limit the messages that wait and the threads that start. The largest network that we know
    needs less than a tenth of each.
    """

    instructions: int = 2_000_000
    elements: int = 1 << 27
    words: int = 8 << 20


class RunBudget:
    """What is left of the limits.

    The machine asks before every slice of a thread how long it may be, and reports afterwards what it cost. Hosts
    with other limits (time) override ``next_slice``. ``what``: what must end within the limits, for the faults.
    """

    def __init__(self, limits: RunLimits | None = None, what: str = "a frame") -> None:
        self.limits = limits or RunLimits()
        self.what = what
        self.instructions = self.elements = self.words = 0

    def next_slice(self) -> tuple[int, int]:
        """How many instructions (at least 1) and elements (it ends after the instruction that exceeds them) may run.

        MachineFault when nothing is left.
        """
        limits = self.limits
        if self.instructions >= limits.instructions:
            raise MachineFault(f"{self.what} must end within {limits.instructions} instructions.")
        return min(limits.instructions - self.instructions, SLICE_INSTRUCTIONS), limits.elements - self.elements

    def spend(self, instructions: int, elements: int, messages: int, words: int) -> None:
        """What a slice has cost: instructions, elements, messages and signals sent, and their payload words.

        MachineFault when it was more than what was left.
        """
        limits = self.limits
        self.instructions += instructions
        self.elements += elements
        self.words += MESSAGE_WORDS * messages + words
        if self.elements > limits.elements:
            raise MachineFault(
                f"{self.what} must end within {limits.elements} elements of vectors and groups of matrices "
                f"({INSTRUCTION_ELEMENTS} more for each instruction)."
            )
        if self.words > limits.words:
            raise MachineFault(
                f"{self.what} must not send more than {limits.words} words ({MESSAGE_WORDS} more for each message "
                "or signal)."
            )
