"""Watching the values inside the network while the runner "fqir" runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from femtodriver.model.build_model import Built
from femtodriver.options.quantization_requests import QuantizationRequest
from femtodriver.quantization.quantization_rows import unique_names
from femtodriver.runners.fqir_runner import FqirRunner
from femtodriver.runners.runner import Runner

REFERENCE = "fqir"


@contextmanager
def observed_values(runners: Mapping[str, Runner], model: Built, request: object) -> Iterator[None]:
    """Meanwhile the values are watched, and compared with those of a float model, if the request asks for it.

    UsageError and InputError for values of a float model that do not fit the network.
    """
    runner = runners.get(REFERENCE)
    asked = isinstance(request, QuantizationRequest) and request.asks_for_quantization
    if not asked or not isinstance(request, QuantizationRequest) or not isinstance(runner, FqirRunner):
        yield
        return
    observer = runner.observe()
    if request.float_values is None:
        yield
        return
    with observer.compare_with(request.float_values, unique_names(model.description)):
        yield
