"""What a pass is: a function over FMIR with a name, and the option that switches it off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.part import Part


@dataclass(frozen=True)
class Switch:
    """An option of the compiler that is true or false: its name, what true means (for the docs), and its default."""

    name: str
    doc: str
    default: bool = True


@dataclass(frozen=True)
class Pass:
    """One row of the table of passes.

    ``run(fmir, part)`` gives a valid network with the same outputs in every frame. It must leave ``fmir`` as it is; the
    first line of its docstring says in docs/compiler.md what the network is like afterwards. ``name`` is in the name of
    its dump, with dashes. A pass without ``option`` always runs. ``placed``: it runs after placement.
    """

    name: str
    run: Callable[[Fmir, Part], Fmir]
    option: Switch | None = None
    placed: bool = False

    @property
    def doc(self) -> str:
        """The first line of ``run``'s docstring."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]
