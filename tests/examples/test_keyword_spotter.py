"""The shipped keyword spotter is what its README says, and hears the words of the shipped recording."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.reference import Reference

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter"
STORY = ("up", "hold", "trill", "down")


@pytest.fixture(scope="module")
def sounds() -> ModuleType:
    spec = importlib.util.spec_from_file_location("keyword_spotter_sounds", FOLDER / "sounds.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def recording() -> npt.NDArray[np.int16]:
    """(248, 32) features of words.npz."""
    with np.load(FOLDER / "words.npz") as archive:
        return np.asarray(archive["features"])


def scores() -> npt.NDArray[np.int64]:
    """(248, 5) answers of our reference to the recording."""
    network = load_network(FOLDER / "keyword_spotter.pt")
    (output,) = (tensor.name for tensor in network.outputs)
    reference = Reference(network)
    reference.reset()
    return np.stack([reference.step({"features": frame.astype(np.int64)})[output] for frame in recording()])


def test_the_words_are_heard(sounds: ModuleType) -> None:
    answers = np.argmax(scores(), axis=1)
    wanted = sounds.labels(STORY)
    judged = wanted >= 0
    assert np.array_equal(answers[judged], wanted[judged])


@pytest.mark.slow
def test_the_toolkit_that_made_it_gives_the_same_scores(fmot: ModuleType) -> None:
    torch = importlib.import_module("torch")
    graph = torch.load(FOLDER / "keyword_spotter.pt", weights_only=False)
    np.testing.assert_array_equal(graph.run(recording().astype(np.int64), dequant=False), scores())


def test_the_recording_is_what_the_generator_makes(sounds: ModuleType) -> None:
    made = sounds.features(sounds.record(STORY, np.random.default_rng(2024)))
    shipped = recording()
    assert shipped.dtype == np.int16
    # The FFT may round otherwise on other processors.
    np.testing.assert_allclose(made.astype(np.int64), shipped.astype(np.int64), atol=2)


def test_half_of_the_weight_groups_are_pruned() -> None:
    network = load_network(FOLDER / "keyword_spotter.pt")
    matrices = [tensor.value for tensor in network.frame.parameters if tensor.shape[-1:] == (144,)]
    groups = [
        value.reshape(len(value), -1, 8).any(axis=2) for value in matrices if value is not None and value.ndim == 2
    ]
    assert sum(group.size for group in groups) == 1440
    assert sum(int(group.sum()) for group in groups) == 720
    assert sum(tensor.size for tensor in network.frame.parameters if len(tensor.shape) == 2) == 11760


def test_an_unknown_word_is_refused(sounds: ModuleType) -> None:
    with pytest.raises(ValueError, match="word must be one of up, down, hold, trill, not 'left'"):
        sounds.say("left", np.random.default_rng(0))
