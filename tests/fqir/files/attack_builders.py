"""All hostile files of parts 1 to 3, by short name: what their refusal says, and how to build them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fqir.files import attack_amplifiers, attack_containers, attack_pickles, attack_records


@dataclass(frozen=True)
class Attack:
    """``says``: a regular expression that the refusal must match; ``build`` gives the bytes of the file."""

    says: str
    build: Callable[[], bytes]


ATTACKS: dict[str, Attack] = {
    label: Attack(says, build)
    for label, (says, build) in (
        *attack_containers.ROWS.items(),
        *attack_pickles.rows(),
        *attack_amplifiers.AMPLIFIERS.items(),
        *attack_records.ROWS.items(),
    )
}
