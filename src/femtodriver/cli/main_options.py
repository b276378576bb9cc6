"""Every word of the command line, as a table of options for argparse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from femtodriver import __version__
from femtodriver.cli.subcommands import listing

DESCRIPTION = (
    "Compile a quantized network for the open SPU, write its program files, run it bit for bit, and measure it."
)
EPILOG = """\
MODEL is LOOPBACK (a packaged network that gives back its input), a network (.pt, .pth), a compiled program (.zip,
.femto), or the folder of a model compiled before. Without --runners, files are written and nothing is run.

subcommands, as the first word (a model of that name is ./NAME)
{subcommands}

runners
  fqir    the network's own integer arithmetic: the yardstick
  fmir    the mapped network, as the middle of the compiler understands it
  fasmir  the encoded program on the simulated machine; writes metrics.yaml and metrics.txt too
  dummy   replays --dummy-output-file
  hw      the program on a board: --hardware says which (`femtodrive board` serves a virtual one)
  fakehw  no board at all: made-up outputs, to look at the traffic

figures
  Cycles, memory words, multiplications and messages are counted by the simulated machine, frame by frame. Latency and
  deadline are cycles over the part's clock. Energy is counts times a table of joules per event, power adds leakage over
  the input period: estimates, good to about a factor of three, not validated on silicon. docs/metrics.md has each.

exit status
  0 done, all runners equal; 1 bad input or runners differ; 2 wrong usage; 3 device; 130 interrupted
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser. Its attributes are the parameters of ``Femtodriver.run``, but for those of ``LATER``
    and ``list_connected_devices``."""
    parser = argparse.ArgumentParser(
        prog="femtodrive",
        description=DESCRIPTION,
        epilog=EPILOG.format(subcommands=listing()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", metavar="MODEL", nargs="?", help="what to compile, see below")
    add("--version", action="version", version=f"femtodrive {__version__}")
    add("--debug", action="store_true", help="log everything, and show tracebacks of errors")
    _add_running(parser)
    _add_boards(parser)
    _add_compiling(parser)
    _add_later(parser)
    return parser


def normalised(argv: Sequence[str]) -> list[str]:
    """Option names with dashes, whichever way they were written; values and everything after ``--`` as they are."""
    words: list[str] = []
    for place, word in enumerate(argv):
        if word == "--":
            return [*words, *argv[place:]]
        name, equals, value = word.partition("=")
        words.append(name.replace("_", "-") + equals + value if name.startswith("--") else word)
    return words


def _add_running(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("running").add_argument
    add("--runners", metavar="A,B,...", default="", help="what to run; the first is compared with each of the others")
    add("--input-file", metavar="FILE", help=".wav, .npy or .npz (one array per input name); default: random frames")
    add("--n-frames", metavar="N", type=int, default=2, help="number of random frames (default 2)")
    add("--seed", metavar="N", type=int, default=0, help="seed of the random frames (default 0)")
    add("--input-sample-indices", metavar="LO,HI", type=_range, help="keep frames LO to HI - 1 of the input")
    add("--input-period", metavar="S", type=float, help="seconds between two frames, for power (default 0.016)")
    add("--dummy-output-file", metavar="FILE", help=".npy or .npz that the runner dummy replays")
    add("--tolerance", metavar="T", type=float, help="how far apart two values may be (default: not at all)")
    add("--debug-vars", metavar="A,B,...|all", help="values inside the network to compare too")
    add("--debug-vars-fname", metavar="FILE", help="the same from a file, one name a line")


def _add_boards(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("boards, for the runner hw").add_argument
    add(
        "--hardware",
        metavar="NAME",
        default="fakezynq",
        help="zynq, fpgazynq, redis, evk2, fakezynq or fakeredis (default fakezynq, which is none)",
    )
    add(
        "--zynq-host",
        "--hardware-address",
        metavar="HOST[:PORT]",
        help="where the board (zynq) or the redis server is, or the serial number of an evk2",
    )
    add("--timeout", metavar="S", type=float, help="seconds to wait for an answer (default 20; redis 600)")
    add("--fake-output-file", metavar="FILE", help=".npy, 1-D: the 32-bit words that a fake answers")
    add(
        "--list-connected-devices",
        "--list-connected-hardware",
        metavar="SPU",
        nargs="?",
        const="all",
        help="list the EVK2 boards on USB and end",
    )


def _add_compiling(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("compiling and writing").add_argument
    add(
        "--output-dir", metavar="DIR", default="model_datas", help="where the model's folder goes (default model_datas)"
    )
    add("--hw-config", metavar="PART", help="name of a part or a .toml file (default spu001)")
    add("--dump-ir", metavar="DIR", help="write the text of every stage of the compiler there")
    add(
        "--compiler-option",
        metavar="NAME=VALUE",
        action="append",
        dest="compiler_options",
        help="switch a part of the compiler, see docs/compiler.md; may be repeated",
    )
    add("--model-options-file", metavar="FILE", help="YAML with options per model")
    add("--keyring", metavar="FILE", help="keys; programs are written encrypted (default: FS_KEYRING, else plain)")
    add(
        "--encryption-key-index",
        metavar="N",
        type=int,
        help="which key (default: FS_ENCRYPTION_KEY_IDX, else the first)",
    )
    add("--noencrypt", action="store_true", help="write plain programs even if there is a keyring")


# Options of the reference that this version only knows to refuse: name, metavar (None: a switch), in 2.x only.
LATER = {
    "--opt-profile": "profiles belong to another compiler",
    "--iospec-file": "I/O specifications come in a later version",
}


def _add_later(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("not in this version: refused with a sentence")
    add = group.add_argument
    add("--force-femtocrux-compile", action="store_true", help="use the compiler of the vendor")
    add("--force-femtocrux-sim", action="store_true", help="use the simulator of the vendor")
    add("--cleanup-docker", action="store_true", help="stop containers")
    for name in LATER:
        add(name, nargs="?", const="", dest=f"later{name}", help=argparse.SUPPRESS)


def _range(text: str) -> tuple[int, int]:
    parts = text.split(",")
    try:
        low, high = (int(part) for part in parts)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be two frame numbers LO,HI, not {text!r}") from None
    return low, high
