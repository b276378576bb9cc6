"""JSON text from files: read with limits, refused in one sentence."""

from __future__ import annotations

import json
from typing import Any

from femtodriver.errors import FemtoError
from femtodriver.files.nesting import MAX_DEPTH, check_nesting


def load_json(data: bytes, where: str, error: type[FemtoError]) -> Any:
    """The value of a JSON document.

    Raises ``error``, in one sentence that begins with ``where``, for anything that is not JSON in UTF-8, is nested
    deeper than 32, or has a whole number above 64 bits.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise error(f"{where}: must be JSON in UTF-8.") from None
    except RecursionError:
        raise error(f"{where}: values must be nested at most {MAX_DEPTH} deep.") from None
    except ValueError as failure:
        raise error(f"{where}: must be JSON: {failure}.") from None
    check_nesting(value, where, error)
    return value
