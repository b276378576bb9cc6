"""Inputs of a network: from audio files, arrays or a generator to checked frames of integers."""

from femtodriver.inputs.array_inputs import check_frame, check_inputs, checked_frames
from femtodriver.inputs.frame_list import FrameList, stacked_frames
from femtodriver.inputs.frame_reader import FrameReader
from femtodriver.inputs.generated_frames import default_frames, default_frames_text, random_inputs
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.latched_inputs import LatchedInputs
from femtodriver.inputs.loaded_inputs import InputSource, LoadedInputs, load_inputs, read_inputs, select_frames
from femtodriver.inputs.open_inputs import InputData, open_inputs, read_array
from femtodriver.inputs.program_inputs import program_specs
from femtodriver.inputs.real_values import REAL, Scale

__all__ = [
    "REAL",
    "FrameList",
    "FrameReader",
    "InputData",
    "InputSource",
    "InputSpec",
    "LatchedInputs",
    "LoadedInputs",
    "Scale",
    "check_frame",
    "check_inputs",
    "checked_frames",
    "default_frames",
    "default_frames_text",
    "load_inputs",
    "open_inputs",
    "program_specs",
    "random_inputs",
    "read_array",
    "read_inputs",
    "select_frames",
    "stacked_frames",
]
