"""What the environment says of generated frames, by the names of the reference: FS_FD_INPUT_SEED, FS_FD_INPUT_STYLE."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from femtodriver.errors import UsageError

SEED, STYLE = "FS_FD_INPUT_SEED", "FS_FD_INPUT_STYLE"
MOST_SEED = (1 << 64) - 1


def asked_seed(environment: Mapping[str, str] | None = None) -> int | None:
    """The seed; None where there is none. UsageError for what is no whole number of 64 bits."""
    text = (os.environ if environment is None else environment).get(SEED)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_SEED)) and int(text) <= MOST_SEED):
        raise UsageError(f"{SEED}: must be a whole number from 0 to 2^64 - 1, not {text!r:.60}.")
    return int(text)


def asked_style(styles: Collection[str], environment: Mapping[str, str] | None = None) -> str | None:
    """The style, which must be one of ``styles``; None where there is none. UsageError for another one."""
    text = (os.environ if environment is None else environment).get(STYLE)
    if not text:
        return None
    if text not in styles:
        raise UsageError(f"{STYLE}: must be one of {', '.join(styles)}, not {text!r:.60}.")
    return text
