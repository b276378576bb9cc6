"""TOML text from files: read with limits, refused in one sentence."""

from __future__ import annotations

import sys
from typing import Any

from femtodriver.errors import FemtoError
from femtodriver.files.nesting import MAX_BITS, MAX_DEPTH, check_nesting

if sys.version_info >= (3, 11):
    import tomllib
else:
    # Where the checker itself runs on a newer Python, tomli need not be there.
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]


def load_toml(data: bytes, where: str, error: type[FemtoError]) -> dict[str, Any]:
    """The table of a TOML document.

    Raises ``error``, in one sentence that begins with ``where``, for anything that is not TOML in UTF-8, is nested
    deeper than 32, or has a whole number above 64 bits.
    """
    try:
        table: dict[str, Any] = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise error(f"{where}: must be TOML in UTF-8.") from None
    except tomllib.TOMLDecodeError as failure:
        raise error(f"{where}: must be TOML: {failure}.") from None
    except RecursionError:
        raise error(f"{where}: values must be nested at most {MAX_DEPTH} deep.") from None
    except ValueError:  # of a number with more digits than Python converts
        raise error(f"{where}: a whole number must have at most {MAX_BITS} bits.") from None
    check_nesting(table, where, error)
    return table
