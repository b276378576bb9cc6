"""The templates of the page, in the folder ``templates``."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from femtodriver.errors import UnsupportedError

if TYPE_CHECKING:
    from jinja2 import Environment

MISSING = "report: needs the package jinja2, which is not installed; pip install 'open-femtodriver[report]'"


def check_can_report() -> None:
    """UnsupportedError without the package jinja2."""
    environment()


def environment() -> Environment:
    """The templates; names that they do not know are errors, and everything that they print is escaped.

    UnsupportedError without the package jinja2.
    """
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ModuleNotFoundError:
        raise UnsupportedError(MISSING) from None
    made = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"percent": _percent, "place": _place}
    return made


def _text(name: str) -> str:
    return (resources.files("femtodriver.report") / "templates" / name).read_text("utf-8")


def _percent(share: float) -> str:
    """A share as a length in CSS, within the bar."""
    return f"{100 * min(max(share, 0.0), 1.0):.4g}%"


def _place(share: float) -> str:
    """A share as a coordinate of a drawing of 1000 units."""
    return f"{1000 * share:.6g}"
