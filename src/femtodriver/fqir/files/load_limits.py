"""How much work and memory one file may cause. Everything that a few bytes can multiply is counted here.

The limits are far above real networks and keep a hostile file within 200 MB and 3 seconds. Largest seen in the corpus:
97 thousand opcodes, 7.6 MB, 1.7 million numbers.
"""

from __future__ import annotations

from femtodriver.errors import ModelError

MAX_FILE_BYTES = 32 << 20
MAX_OPCODES = 1 << 19
MAX_NUMBERS = 6 << 20
MAX_REFERENCES = 1 << 18
# Of graphs in graphs, and of the entries of all their lists when each graph is written out wherever it is used.
MAX_GRAPH_NESTING = 16
MAX_EXPANDED_ENTRIES = 1 << 18
# Of lists in one constant.
MAX_CONSTANT_LEVELS = 4
MAX_CONSTANT_ENTRIES = 1 << 16
MAX_DTYPE_NAME = 64
_MAX_WIDENING = 8 << 20
_SLACK_BYTES = 1 << 16


class Budget:
    """Counters that only go down; a ModelError when one is exhausted.

    ``opcodes``: pickle opcodes that may still be executed. ``produce`` bounds what opcodes build from memoised
    material, in bytes, by a small multiple of the file; ``widen`` what texts take beyond their bytes in the file.
    ``refer`` bounds list and dict entries looked at after loading, ``numbers`` the numbers of all arrays together.
    """

    def __init__(self, file_bytes: int, most_numbers: int = MAX_NUMBERS) -> None:
        self.opcodes = MAX_OPCODES
        self._produced = 4 * file_bytes + _SLACK_BYTES
        self._widening = _MAX_WIDENING
        self._references = MAX_REFERENCES
        self._most_numbers = self._numbers = most_numbers

    def produce(self, amount: int) -> None:
        """Account for ``amount`` bytes (or set elements) made by one opcode."""
        self._produced -= amount
        if self._produced < 0:
            raise ModelError("the pickle must not build many times its own size by repeating itself; it is hostile.")

    def widen(self, amount: int) -> None:
        """Account for a text that takes ``amount`` bytes more in memory than in the file."""
        self._widening -= max(0, amount)
        if self._widening < 0:
            raise ModelError("the texts of the pickle must not take megabytes more in memory than in the file.")

    def refer(self, amount: int) -> None:
        """Account for ``amount`` entries of lists and dicts to convert."""
        self._references -= amount
        if self._references < 0:
            raise ModelError(f"the graph must have at most {MAX_REFERENCES} entries in all its lists; simplify it.")

    def numbers(self, amount: int) -> None:
        """Account for ``amount`` numbers of an array."""
        self._numbers -= amount
        if self._numbers < 0:
            raise ModelError(
                f"the arrays must have at most {self._most_numbers} numbers in all; make the network smaller."
            )
