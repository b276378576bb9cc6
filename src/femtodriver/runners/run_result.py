"""What runs give to users: a dict, which shows its shapes instead of its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from femtodriver.notebook_html import html_table


class RunResult(dict[str, Any]):
    """``pass``, ``status_str`` (or ``compare_str`` of one runner), ``outputs`` and ``internals``: {runner: {variable:
    int64 array (frames, elements)}}. A dict in every respect, but for what a prompt or a notebook shows of it.
    """

    def __repr__(self) -> str:
        shapes = ", ".join(f"{runner} {name} {shape}" for runner, name, shape in self._shapes("outputs"))
        inner = len(list(self._shapes("internals")))
        more = f"; internal values: {inner}" if inner else ""
        return f"<{self.verdict}: {shapes or 'no outputs'}{more}>"

    @property
    def verdict(self) -> str:
        """The first line about the comparison, or which runner ran."""
        told = self.get("status_str")
        if told:
            return str(told).splitlines()[0]
        return f"{' and '.join(self.get('outputs', {})) or 'nothing'} ran"

    def _shapes(self, kind: str) -> Iterator[tuple[str, str, tuple[int, ...]]]:
        """Runner, name and shape of each variable."""
        for runner, values in self.get(kind, {}).items():
            yield from ((runner, name, rows.shape) for name, rows in values.items())

    def _repr_html_(self) -> str:
        rows = [(runner, "output", *rest) for runner, *rest in self._shapes("outputs")]
        rows += [(runner, "internal value", *rest) for runner, *rest in self._shapes("internals")]
        return html_table(self.verdict, ("runner", "", "variable", "(frames, elements)"), rows)
