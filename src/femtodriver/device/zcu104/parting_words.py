"""What the virtual board says to a client before it closes the connection.

The protocol has no message for that, and its other clients know of none. So the words are shorter than an entry: a
client that does not know them waits for the rest of an answer and finds the connection closed, but never takes them
for an answer.
"""

from __future__ import annotations

SILENCE_S = 30.0
"""How long a client may say nothing before it has to make room for another one."""

IN_USE, GAVE_WAY = b"in use\n", b"silent\n"
_SENTENCES = {
    IN_USE: (
        "the board is in use by another client; wait until that has finished (one of your own runners: call its "
        "finish()), and try again"
    ),
    GAVE_WAY: f"the board went to another client, as this one said nothing for {SILENCE_S:g} s; reset to start again",
}


def sentence_of(data: bytes) -> str:
    """What the words mean, without a full stop; "" for anything else."""
    return _SENTENCES.get(data, "")
