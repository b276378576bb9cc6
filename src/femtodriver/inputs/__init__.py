"""Inputs of a network: from audio files, arrays or a random generator to checked frames of integers."""

from femtodriver.inputs.array_inputs import check_inputs, read_array
from femtodriver.inputs.input_sources import frames_from_samples, load_inputs, random_inputs, select_frames
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.wav_file import read_wav

__all__ = [
    "InputSpec",
    "check_inputs",
    "frames_from_samples",
    "load_inputs",
    "random_inputs",
    "read_array",
    "read_wav",
    "select_frames",
]
