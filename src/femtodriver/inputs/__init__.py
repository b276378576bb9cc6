"""Inputs of a network: from audio files, arrays or a random generator to checked frames of integers."""

from femtodriver.inputs.arrays import check_inputs, read_array
from femtodriver.inputs.load import frames_from_samples, load_inputs, random_inputs, select_frames
from femtodriver.inputs.spec import InputSpec
from femtodriver.inputs.wav import read_wav

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
