"""``Femtodriver``: load, compile, write, run, compare, measure. Every method is a few lines over the rooms below.

The methods stand in groups, each a class in a module beside this one; here are those about a whole job.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from femtodriver.driver.boards_and_containers import BoardsAndContainers
from femtodriver.driver.running_and_comparing import RunningAndComparing
from femtodriver.errors import UsageError
from femtodriver.job.whole_job import run_job
from femtodriver.options import method_table as methods
from femtodriver.options.bind_request import bind
from femtodriver.options.main_requests import JobRequest, MainRequest
from femtodriver.output import summary
from femtodriver.runners.execution import Result

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from femtodriver.options import method_keywords as keywords
    from femtodriver.sweep.sweep_result import SweepResult

_log = logging.getLogger(__name__)


class Femtodriver(RunningAndComparing, BoardsAndContainers):
    """One model at a time; ``compile`` may be called again for the next. A context manager.

    docs/options.md has the options of all methods, which are given by name; those of the reference may be given by
    position too, in its order. Every error that a user can cause is a FemtoError (``femtodriver.errors``); an
    unknown argument is a UsageError that is also a TypeError.

    Attributes after use: ``modelname``, ``fqir`` (Network), ``compiled_data`` (CompiledData), ``model_dir``,
    ``meta_dir``, ``io_records_dir``, ``compiler_kwargs``, ``compare_status``, ``spu_runner`` (SPURunner),
    ``profile`` and ``quantization`` (of the last ``simulate`` or ``run``, or None), ``femtocrux_client``. ``close``, or
    the end of a with-block, ends the container of the vendor's compiler.
    ``say(text)`` gets what is reported (default: the log), ``progress(runner, done, frames)`` is called meanwhile.
    """

    @methods.DRIVER.signed
    def __init__(self, *positional: Any, **options: Unpack[keywords.DriverKeywords]) -> None:
        request = methods.DRIVER.bind(positional, options)
        super().__init__(request)
        if request.debug:
            logging.getLogger("femtodriver").setLevel(logging.DEBUG)

    def __enter__(self) -> Femtodriver:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            _log.debug("left by %s", type(error).__name__)
        self.close()

    @methods.RUN.signed
    def run(self, model: object, *positional: Any, **options: Unpack[keywords.JobKeywords]) -> Result:
        """The whole job: compile, run what ``runners`` names, write everything in one step, report.

        No runners: files only, and the result is {}. One runner: its result. Several: the comparison with the first.
        With ``fasmir`` among them, metrics are written too. If anything fails, the model's folder is as before.

        With ``output_file``, or ``input_file="-"``, frames are read, run and written one after the other, and the
        result has neither outputs nor internal values. Ctrl-C between two frames writes what was done so far as such,
        and raises ``RunStopped``, a KeyboardInterrupt.
        """
        return self._run(model, methods.RUN.bind(positional, options))

    @methods.EVALUATE.signed
    def evaluate(self, model: object, *positional: Any, **options: Unpack[keywords.EvaluateKeywords]) -> Result:
        """Run a model on every clip of a data set: the summary, with the ``folder`` of results; docs/evaluation.md."""
        from femtodriver.driver.evaluate_model import evaluate_model

        request = methods.EVALUATE.bind(positional, options)
        return evaluate_model(model, request, self._settings(), self.say, self.progress)

    @methods.SWEEP.signed
    def sweep(self, model: object, **options: Unpack[keywords.SweepKeywords]) -> SweepResult:
        """Compile, run and measure a model in many variants: ``sweep(model, clock=[10e6, 50e6])``; docs/sweep.md.

        A variant that does not fit is a row with the reason. With ``workers`` above 1 the calling script must be
        importable (``if __name__ == "__main__"``), as ``multiprocessing`` wants it. Nothing is written, and the model
        that was compiled last stays the one of the other methods.

        UsageError for wrong options, and for a driver that is to use the vendor's compiler or simulator, which take no
        part; the errors of loading and running a model.
        """
        from femtodriver.sweep.whole_sweep import sweep

        request = methods.SWEEP.bind((), options)
        if self._force_compile or self._force_sim:
            raise UsageError(
                "sweep: must be done with our own compiler and simulator; make the Femtodriver without "
                "force_femtocrux_compile and force_femtocrux_sim."
            )
        return sweep(model, request, self._settings(), self.say)

    def main(self, parsed_args: Any) -> Result:
        """``run`` with the attributes of a parsed command line. UsageError for an unknown one."""
        request = bind(MainRequest, vars(parsed_args), "main")
        if request.list_connected_devices is not None:
            boards = self.list_connected_devices(request.list_connected_devices)
            self.say(summary.devices_text(boards, request.list_connected_devices))
            return {}
        for name in ("keyring", "key_index", "salt", "model_source_dir"):
            if getattr(request, name) is not None:
                setattr(self, name, getattr(request, name))
        return self._run(request.model, request)

    def _run(self, model: object, request: JobRequest) -> Result:
        if request.debug:
            logging.getLogger("femtodriver").setLevel(logging.DEBUG)
        if request.cleanup_docker:
            self.cleanup_docker_containers(request.cleanup_docker)
            if model is None:
                return {}
        request = replace(request, force_femtocrux_sim=request.force_femtocrux_sim or self._force_sim)
        done = run_job(model, request, self._settings(), self.say, self.progress)
        self._adopt(done.model, written=True)
        self._made, self.profile, self.quantization = done.inputs, done.profile, done.quantization
        if done.execution is not None:
            self._kept(done.execution)
        return done.result
