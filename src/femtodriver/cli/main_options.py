"""The main command: what it says about itself, and its parser."""

from __future__ import annotations

import argparse

from femtodriver import __version__
from femtodriver.cli.subcommands import listing
from femtodriver.options.main_requests import MainRequest
from femtodriver.options.option_groups import GROUPS
from femtodriver.options.option_parser import OptionParser

DESCRIPTION = (
    "Compile a quantized network for the open SPU, write its program files, run it bit for bit, and measure it."
)
EPILOG = """\
MODEL is LOOPBACK (a built-in network that returns its input), a network ({networks}), a compiled program
(.zip, .femto), or the folder of a compiled model. Without --runners, files are written and nothing is run.

subcommands (as the first word; for a model of that name, write ./NAME)
{subcommands}

runners
{runners}

figures
  Cycles, memory words, multiplications and messages are counted by the simulated machine, frame by frame. Latency and
  deadline follow from cycles and the part's clock. Energy is counts times a table of joules per event; power adds what
  the part takes while it is on, asleep and waking, over the input period. Both are estimates, given with a low and a
  high figure, and not validated on silicon. docs/metrics.md explains each figure, docs/energy.md each row of the
  table.

exit status
  0 done, all runners equal; 1 bad input or runners differ; 2 wrong usage; 3 a device failed; 130 interrupted
"""


def build_parser() -> OptionParser:
    """The parser of ``femtodrive MODEL``."""
    from femtodriver.model.network_formats import NETWORK_ENDINGS
    from femtodriver.runners.runner_table import RUNNERS

    width = max(map(len, RUNNERS))
    runners = "\n".join(f"  {name:<{width}} {row.summary}" for name, row in RUNNERS.items())
    epilog = EPILOG.format(networks=NETWORK_ENDINGS, subcommands=listing(), runners=runners)
    parser = OptionParser("femtodrive", MainRequest, DESCRIPTION, epilog, GROUPS)
    parser.usage = "femtodrive MODEL [options]"
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and which machine simulates")
    return parser


class _Version(argparse.Action):
    """Prints the version, and whether the native loop is there."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from femtodriver.native.choose_machine import machine_text

        print(f"femtodrive {__version__} ({machine_text()})")
        parser.exit()
