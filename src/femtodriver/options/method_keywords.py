"""The keywords of ``Femtodriver``'s methods, for type checkers: nothing imports this when it runs.

Written by ``python tools/update_options.py`` from the requests beside it: do not edit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from femtodriver.files.file_access import AnyPath
from femtodriver.inputs.loaded_inputs import InputSource
from femtodriver.options.sweep_requests import Numbers
from femtodriver.options.value_kinds import Names
from femtodriver.program.encryption.keyring import Keyring


class DriverKeywords(TypedDict, total=False):
    """Of ``DriverRequest``."""

    debug: bool
    force_femtocrux_compile: bool
    force_femtocrux_sim: bool
    model_source_dir: AnyPath | None
    keyring: AnyPath | Keyring | None
    key_index: int | None
    encryption_key_index: int | None
    encryption_key_idx: int | None
    salt: int | None
    encryption_salt: int | None


class ModelKeywords(TypedDict, total=False):
    """Of ``ModelRequest``."""

    calibration: Any
    calibrate: Any
    precision: str | None
    time_axis: int | None
    conversion_timeout: float | None
    noencrypt: bool
    requantize: str | None
    hw_config: AnyPath | None
    target_spu: AnyPath | None
    compiler_options: Mapping[str, Any] | Sequence[str] | None
    compiler_option: Mapping[str, Any] | Sequence[str] | None
    model_options_file: AnyPath | None
    output_dir: AnyPath
    tree: str | None
    dump_ir: AnyPath | None
    compiler: str | None
    objective: str | None
    opt_profile: str | None
    iospec_file: AnyPath | None
    model_name: str | None
    user_configuration: Mapping[str, Any] | None
    memory_reservations: Mapping[str, Any] | None
    model_type: str | None
    model_version: str | None


class CompileKeywords(TypedDict, total=False):
    """Of ``CompileRequest``."""

    noencrypt: bool
    requantize: str | None
    hw_config: AnyPath | None
    target_spu: AnyPath | None
    compiler_options: Mapping[str, Any] | Sequence[str] | None
    compiler_option: Mapping[str, Any] | Sequence[str] | None
    model_options_file: AnyPath | None
    output_dir: AnyPath
    tree: str | None
    dump_ir: AnyPath | None
    compiler: str | None
    objective: str | None
    opt_profile: str | None
    iospec_file: AnyPath | None


class FramesKeywords(TypedDict, total=False):
    """Of ``FramesRequest``."""

    scale: str | float | None
    hop: int | None
    channel: int | None
    input_rate: float | None
    resample: float | None
    frontend: str | None
    n_frames: int | None
    n_inputs: int | None
    input_style: str | None
    seed: int | None
    input_sample_indices: Sequence[int] | None
    input_file_sample_indices: Sequence[int] | None


class SimulateKeywords(TypedDict, total=False):
    """Of ``SimulateRequest``."""

    no_outputs: bool
    trace: AnyPath | None
    trace_frames: Sequence[int] | None
    report: AnyPath | None
    machine: str | None
    check_state: bool
    input_period: float | None
    sim_est_input_period: float | None
    temperature: float | None
    clock: float | None
    voltage: float | None
    battery_mwh: float | None


class RunnerKeywords(TypedDict, total=False):
    """Of ``RunnerRequest``."""

    noencrypt: bool
    machine: str | None
    check_state: bool
    dummy_output_file: AnyPath | None
    debug_vars: Names
    debug_vars_fname: AnyPath | None
    hardware: str
    address: str | None
    zynq_host: str | None
    hardware_address: str | None
    timeout: float | None
    reconnect: int
    reply_file: AnyPath | None
    fake_output_file: AnyPath | None
    no_verify: bool


class ExecuteKeywords(TypedDict, total=False):
    """Of ``ExecuteRequest``."""

    no_outputs: bool
    trace: AnyPath | None
    trace_frames: Sequence[int] | None
    report: AnyPath | None
    noencrypt: bool
    machine: str | None
    check_state: bool
    dummy_output_file: AnyPath | None
    debug_vars: Names
    debug_vars_fname: AnyPath | None
    hardware: str
    address: str | None
    zynq_host: str | None
    hardware_address: str | None
    timeout: float | None
    reconnect: int
    reply_file: AnyPath | None
    fake_output_file: AnyPath | None
    no_verify: bool


class ComparisonKeywords(TypedDict, total=False):
    """Of ``ComparisonRequest``."""

    scale: str | float | None
    hop: int | None
    channel: int | None
    input_rate: float | None
    resample: float | None
    frontend: str | None
    n_frames: int | None
    n_inputs: int | None
    input_style: str | None
    seed: int | None
    input_sample_indices: Sequence[int] | None
    input_file_sample_indices: Sequence[int] | None
    input_file: InputSource
    no_outputs: bool
    trace: AnyPath | None
    trace_frames: Sequence[int] | None
    report: AnyPath | None
    noencrypt: bool
    machine: str | None
    check_state: bool
    dummy_output_file: AnyPath | None
    debug_vars: Names
    debug_vars_fname: AnyPath | None
    hardware: str
    address: str | None
    zynq_host: str | None
    hardware_address: str | None
    timeout: float | None
    reconnect: int
    reply_file: AnyPath | None
    fake_output_file: AnyPath | None
    no_verify: bool
    tolerance: float | None
    error_tolerance: float | None
    input_period: float | None
    sim_est_input_period: float | None
    temperature: float | None
    clock: float | None
    voltage: float | None
    battery_mwh: float | None


class JobKeywords(TypedDict, total=False):
    """Of ``JobRequest``."""

    debug: bool
    force_femtocrux_compile: bool
    force_femtocrux_sim: bool
    quantization: bool
    quantization_file: AnyPath | None
    float_values: AnyPath | None
    profile: bool
    profile_file: AnyPath | None
    by: str
    sort: str
    top: int | None
    depth: int | None
    runners: Names
    runner: Names
    comparisons: Names
    output_file: AnyPath | None
    output_wav: AnyPath | None
    output_name: str | None
    output_format: str | None
    input_format: str | None
    scale: str | float | None
    hop: int | None
    channel: int | None
    input_rate: float | None
    resample: float | None
    frontend: str | None
    n_frames: int | None
    n_inputs: int | None
    input_style: str | None
    seed: int | None
    input_sample_indices: Sequence[int] | None
    input_file_sample_indices: Sequence[int] | None
    input_file: InputSource
    no_outputs: bool
    trace: AnyPath | None
    trace_frames: Sequence[int] | None
    report: AnyPath | None
    calibration: Any
    calibrate: Any
    precision: str | None
    time_axis: int | None
    conversion_timeout: float | None
    noencrypt: bool
    machine: str | None
    check_state: bool
    dummy_output_file: AnyPath | None
    debug_vars: Names
    debug_vars_fname: AnyPath | None
    hardware: str
    address: str | None
    zynq_host: str | None
    hardware_address: str | None
    timeout: float | None
    reconnect: int
    reply_file: AnyPath | None
    fake_output_file: AnyPath | None
    no_verify: bool
    tolerance: float | None
    error_tolerance: float | None
    input_period: float | None
    sim_est_input_period: float | None
    temperature: float | None
    clock: float | None
    voltage: float | None
    battery_mwh: float | None
    requantize: str | None
    hw_config: AnyPath | None
    target_spu: AnyPath | None
    compiler_options: Mapping[str, Any] | Sequence[str] | None
    compiler_option: Mapping[str, Any] | Sequence[str] | None
    model_options_file: AnyPath | None
    output_dir: AnyPath
    tree: str | None
    dump_ir: AnyPath | None
    compiler: str | None
    objective: str | None
    opt_profile: str | None
    iospec_file: AnyPath | None
    model_name: str | None
    user_configuration: Mapping[str, Any] | None
    memory_reservations: Mapping[str, Any] | None
    model_type: str | None
    model_version: str | None
    norun: bool
    cleanup_docker: bool | str


class EvaluateKeywords(TypedDict, total=False):
    """Of ``EvaluateRequest``."""

    calibration: Any
    calibrate: Any
    precision: str | None
    time_axis: int | None
    conversion_timeout: float | None
    requantize: str | None
    hw_config: AnyPath | None
    target_spu: AnyPath | None
    compiler_options: Mapping[str, Any] | Sequence[str] | None
    compiler_option: Mapping[str, Any] | Sequence[str] | None
    model_options_file: AnyPath | None
    scale: str | float | None
    hop: int | None
    channel: int | None
    input_rate: float | None
    resample: float | None
    frontend: str | None
    machine: str | None
    check_state: bool
    input_period: float | None
    sim_est_input_period: float | None
    temperature: float | None
    clock: float | None
    voltage: float | None
    inputs: str
    runners: Names
    labels: AnyPath | None
    classes: Names
    label_rule: str | None
    rule: str | Callable[..., Any] | None
    references: str | None
    delay: int
    workers: int | None
    scheduler: str | None
    scheduler_timeout: float | None
    output_dir: AnyPath
    keep_outputs: bool


class SweepKeywords(TypedDict, total=False):
    """Of ``SweepRequest``."""

    calibration: Any
    calibrate: Any
    precision: str | None
    time_axis: int | None
    conversion_timeout: float | None
    requantize: str | None
    scale: str | float | None
    hop: int | None
    channel: int | None
    input_rate: float | None
    resample: float | None
    frontend: str | None
    n_frames: int | None
    n_inputs: int | None
    input_style: str | None
    seed: int | None
    input_sample_indices: Sequence[int] | None
    input_file_sample_indices: Sequence[int] | None
    input_file: InputSource
    model_name: str | None
    hw_config: AnyPath | Sequence[AnyPath] | None
    objective: str | Sequence[str] | None
    compiler_options: Mapping[str, Any] | Sequence[str] | None
    compiler_option: Mapping[str, Any] | Sequence[str] | None
    clock: Numbers | None
    voltage: Numbers | None
    input_period: Numbers | None
    temperature: Numbers | None
    workers: int | None
    sort: str | None
