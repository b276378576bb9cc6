"""How deep a document from a file may be nested, and how long its numbers may be."""

from __future__ import annotations

from femtodriver.errors import FemtoError

MAX_DEPTH = 32
MAX_BITS = 64  # of a whole number; TOML promises no more


def check_nesting(value: object, where: str, error: type[FemtoError]) -> None:
    """Raises ``error`` for a value of dicts and lists that is nested deeper than 32 or has a number above 64 bits.

    Whatever passes can be walked, shown and converted without recursion errors.
    """
    level: list[object] = [value]
    depth = 0
    while level:
        if any(isinstance(item, int) and item.bit_length() > MAX_BITS for item in level):
            raise error(f"{where}: a whole number must have at most {MAX_BITS} bits.")
        containers = [item for item in level if isinstance(item, (dict, list))]
        depth += bool(containers)
        if depth > MAX_DEPTH:
            raise error(f"{where}: values must be nested at most {MAX_DEPTH} deep.")
        level = [item for one in containers for item in (one.values() if isinstance(one, dict) else one)]
