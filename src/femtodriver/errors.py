"""Every error that users can meet, sorted by who can fix it.

::

    FemtoError
    ├── UsageError          the caller: wrong argument, name, file type or option
    │   └── InputError      the caller's data: width, rank, dtype, range of an input array or file
    ├── ModelError          the maker of the network file: unreadable, hostile or meaningless graph
    │   └── UnsupportedError  a legal graph that this version cannot compile
    ├── CapacityError       the network does not fit the part
    ├── ProgramError        a container or directory of a compiled program is damaged or foreign
    ├── AssemblyError       an instruction or its text is malformed (compiler or assembly author)
    ├── MachineFault        the program did something that the machine forbids
    ├── DeviceError         a board or the link to it
    ├── BackendError        the vendor's compiler: its client, its container, or what it refuses
    ├── WorkerError         processes or a cluster that should share the work
    ├── ComparisonError     two runners cannot be compared (the verdict "unequal" is not an error)
    └── DefectError         this package: one of its checks has found a defect in it; please report it

A message is one sentence "where: subject must be X, not Y", then what to do.
Exit codes of the command line: 1 for all of them, except 2 for UsageError and 3 for DeviceError.
"""

from __future__ import annotations


class FemtoError(Exception):
    """Root of all errors that this package raises on purpose."""

    exit_code = 1


class UsageError(FemtoError, ValueError):
    """A wrong argument, name, file type or option."""

    exit_code = 2


class InputError(UsageError):
    """Input data of the wrong width, rank, dtype, range or file form."""

    exit_code = 1


class ModelError(FemtoError):
    """A network file that cannot be read, is hostile, or has no meaning."""


class UnsupportedError(ModelError):
    """A legal network that uses something this version cannot compile."""


class CapacityError(FemtoError):
    """The network does not fit the part."""


class ProgramError(FemtoError):
    """A compiled program (container, archive, directory) that is damaged or foreign."""


class AssemblyError(FemtoError):
    """A malformed instruction or instruction text."""


class MachineFault(FemtoError):
    """The running program did something that the machine forbids."""


class DeviceError(FemtoError):
    """A board, or the link to it, did not do what the protocol demands."""

    exit_code = 3


class BackendError(FemtoError):
    """The vendor's compiler cannot be used: its client, the engine, the image, or what it says of a network."""


class WorkerError(FemtoError):
    """Processes or a cluster that should share the work cannot do so."""


class ComparisonError(FemtoError):
    """Runners that cannot be compared at all."""


class DefectError(FemtoError):
    """A check inside this package has found a mistake of the package itself."""
