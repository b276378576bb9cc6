"""The vendor's compiler while it runs in its container: started when it is first needed, gone afterwards.

The client leaves its container behind when its constructor fails half-way, when the process ends without ``close``, and
at SIGTERM. So the container is marked, and whatever happens it is looked for by its mark and removed.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from femtodriver.errors import BackendError
from femtodriver.femtocrux.client_calls import ClientCalls, calls_of, find_client
from femtodriver.femtocrux.client_failures import START, ClientFailures
from femtodriver.femtocrux.client_settings import HARDWARE, hardware_config, no_prompt, stdout_to_log
from femtodriver.femtocrux.marked_containers import MARK, ContainerMark, fresh_mark, remove_marked
from femtodriver.stop_signals import exiting_signals

NO_LOGS = "No logs available"
_log = logging.getLogger(__name__)


class CompilerService:
    """One container, from the first call to ``close``; after that, the next call starts another one.

    ``client``: the vendor's object, None while no container runs. Also closed when the object is no longer used, and at
    the end of the interpreter.
    """

    def __init__(self) -> None:
        self.client: Any = None
        self._calls: ClientCalls | None = None
        self._remove: Callable[[], Any] | None = None

    def calls(self) -> ClientCalls:
        """What the compiler is asked with. BackendError, in one sentence, if it cannot be started."""
        if self._calls is None:
            self._calls = self._started()
        return self._calls

    def logs(self) -> str:
        """The log of the container; "No logs available" if none runs, or the engine does not give it."""
        if self.client is None:
            return NO_LOGS
        with ClientFailures(START):
            text: str = self.client.container.logs().decode("utf-8", "replace")
        return text.replace("\\n", "\n")

    def close(self) -> None:
        """End the container, if one runs; may be called twice."""
        client, self.client, self._calls = self.client, None, None
        try:
            if client is not None:
                _close(client)
        finally:
            if self._remove is not None:
                self._remove()
                self._remove = None

    def _started(self) -> ClientCalls:
        package = find_client()
        mark = fresh_mark()
        given = {"environment": {HARDWARE: hardware_config(os.environ), MARK: mark.text}}
        with ExitStack() as undone:
            self._remove = weakref.finalize(self, _end, mark, exiting_signals())
            undone.callback(self.close)
            with ClientFailures(START), stdout_to_log(), no_prompt():
                self.client = package.CompilerClient(given)
                calls = calls_of(self.client, package)
            undone.pop_all()
        _log.debug("femtocrux: the container runs, marked %s", mark.text)
        return calls


def _close(client: Any) -> None:
    """Let the client end its container; where it cannot, the container is removed by its mark."""
    try:
        with ClientFailures(START), stdout_to_log():
            client.close()
    except BackendError as error:
        _log.debug("%s", error)


def _end(mark: ContainerMark, give_back: Callable[[], None]) -> None:
    """Remove the container; then signals end the process as before."""
    try:
        remove_marked(mark)
    finally:
        give_back()
