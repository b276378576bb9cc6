"""The main command: what it says about itself, and its parser."""

from __future__ import annotations

import argparse

from femtodriver import __version__
from femtodriver.cli.command_kind import help_end
from femtodriver.cli.subcommands import listing
from femtodriver.options.main_requests import MainRequest
from femtodriver.options.option_parser import OptionParser

DESCRIPTION = (
    "Compile a quantized network for the open SPU, write its program files, run it bit for bit, and measure it.\n"
    "Examples stand at the end."
)
EPILOG = """\
MODEL is LOOPBACK (a built-in network that returns its input), a network ({networks}), a PyTorch
module (FILE.py:NAME), a compiled program (.zip, .femto), or the folder of a compiled model. Without --runners, files
are written and nothing is run.

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
  0 done, all runners equal; 1 bad input or runners differ; 2 wrong usage; 3 a device failed; 130 interrupted"""
EXAMPLES = (
    "femtodrive LOOPBACK --runners fqir,fmir,fasmir",
    "femtodrive spotter.pt",
    "femtodrive spotter.pt --runners fqir,fasmir --input-file words.npz --input-period 0.016 --report report.html",
    "femtodrive denoiser.pt --runners fasmir --input-file noisy.wav --output-wav clean.wav",
    "femtodrive alexa.tflite --runners fqir,fasmir --frontend micro --resample 16000 --input-file said.wav",
    "femtodrive my_model.py:build --calibrate clips.npz --runners fqir,fasmir",
    "femtodrive spotter.pt --profile --by module --top 10",
    "femtodrive spotter.pt --runners hw,fqir --hardware zynq --address 127.0.0.1:7007",
)


def build_parser() -> OptionParser:
    """The parser of ``femtodrive MODEL``."""
    from femtodriver.model.network_formats import NETWORK_ENDINGS
    from femtodriver.runners.runner_table import RUNNERS

    width = max(map(len, RUNNERS))
    runners = "\n".join(f"  {name:<{width}}  {row.summary}" for name, row in RUNNERS.items())
    epilog = EPILOG.format(networks=NETWORK_ENDINGS, subcommands=listing(), runners=runners)
    parser = OptionParser("femtodrive", MainRequest, DESCRIPTION, help_end(epilog, EXAMPLES))
    parser.usage = "femtodrive MODEL [options]"
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and which machine simulates")
    return parser


class _Version(argparse.Action):
    """Prints the version, and whether the native loop is there."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from femtodriver.native.choose_machine import machine_text

        print(f"femtodrive {__version__} ({machine_text()})")
        parser.exit()
