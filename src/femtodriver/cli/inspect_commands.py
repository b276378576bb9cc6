"""``femtodrive inspect`` and ``femtodrive disasm``."""

from __future__ import annotations

from femtodriver.cli.command_kind import Command
from femtodriver.options.inspect_requests import DisasmRequest, InspectRequest

EXIT_PROBLEMS = 1
ABOUT_INSPECT = (
    "FILE is a .femto, a memory-image zip, the folder of a compiled model, a hex image, 0PROG_A or 0PROG_D or\n"
    "their folder, a recording (.yaml), or a network (.pt, .fqir, .tflite). docs/inspect.md has the keys of --json.\n\n"
    "exit status\n"
    "  0 sound, 1 damaged or unreadable, 2 wrong usage"
)
ABOUT_DISASM = (
    "Layers are named where the program still names them: in folders and zips, not in a .femto.\n\n"
    "exit status\n"
    "  0 done, 1 damaged, unreadable or not for the open SPU, 2 wrong usage"
)
INSPECT_EXAMPLES = (
    "femtodrive inspect model_datas/LOOPBACK/io_records/LOOPBACK.femto",
    "femtodrive inspect model_datas/LOOPBACK",
    "femtodrive inspect network.pt --json",
)
DISASM_EXAMPLES = (
    "femtodrive disasm model_datas/LOOPBACK",
    "femtodrive disasm secret.femto --keyring keys.toml",
)


def inspect(request: InspectRequest) -> int:
    """Print what the file holds; 1 if it is damaged."""
    from femtodriver.inspection import inspect_file, report_json, report_text

    report = inspect_file(request.file)
    print(report_json(report) if request.json else report_text(report))
    return 0 if report.sound else EXIT_PROBLEMS


def disasm(request: DisasmRequest) -> int:
    """Print the instructions of the program."""
    from femtodriver.inspection import disassemble_file, listing_json, listing_text

    listing = disassemble_file(request.file, request.keyring)
    print(listing_json(listing) if request.json else listing_text(listing))
    return 0


INSPECT = Command(InspectRequest, ABOUT_INSPECT, inspect, INSPECT_EXAMPLES)
DISASM = Command(DisasmRequest, ABOUT_DISASM, disasm, DISASM_EXAMPLES)
