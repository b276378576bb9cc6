"""``femtodrive import``: a network of any format as a ``.fqir`` file."""

from __future__ import annotations

from femtodriver.cli.command_kind import Command
from femtodriver.options.import_requests import ImportRequest

ABOUT = (
    "Every command takes the .fqir in place of what it was made from, with the same results. docs/fqir-file.md\n"
    "describes such files, so that others can read and write them.\n\n"
    "exit status\n"
    "  0 written, 1 the network cannot be read or the file cannot be written, 2 wrong usage"
)
EXAMPLES = (
    "femtodrive import network.pt -o network.fqir",
    "femtodrive import okay.tflite --model-name wake_word",
    "femtodrive import my_model.py:build --calibrate clips.npz -o network.fqir",
)


def import_network(request: ImportRequest) -> int:
    """Write the network, and say what was written."""
    from femtodriver.output.network_file import write_network

    write_network(request, print)
    return 0


IMPORT = Command(ImportRequest, ABOUT, import_network, EXAMPLES)
