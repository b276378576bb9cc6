"""Options: each is a row of one table, is documented, is read from text, and changes cost but never results."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from femtodriver.compiler.compiler_options import SWITCHES, Objective, Options, documentation
from femtodriver.compiler.passes.pass_order import PASSES
from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import UsageError
from femtodriver.part import load_part
from tests.compiler.compiler_nets import agree, recurrent

SPU = load_part()
NAMES = [switch.name for switch in SWITCHES]


@pytest.mark.parametrize("name", NAMES)
def test_options_never_change_results(name: str) -> None:
    agree(recurrent(), options=Options().without(name))


def test_all_options_off() -> None:
    agree(recurrent(), options=Options(cores=2, on=frozenset()))
    small = len(compile_network(recurrent(), SPU, options=Options(cores=1)).fmir.ops)
    large = len(compile_network(recurrent(), SPU, options=Options(cores=1, on=frozenset())).fmir.ops)
    assert small < large


def test_every_pass_that_can_be_left_out_has_a_documented_option() -> None:
    told = documentation()
    assert set(told) == {"cores", "objective", "deadline", *NAMES}
    assert {entry.option.name for entry in PASSES if entry.option is not None} <= set(told)
    assert len(NAMES) == len(set(NAMES))
    for name, (default, meaning) in told.items():
        assert default in ("auto", "true", "false", "balanced", "none"), name
        assert len(meaning) > 15, f"the option {name} must say what it does"


def test_an_option_that_is_off_leaves_its_pass_out() -> None:
    everything = Options().selected_passes()
    assert everything == PASSES
    for entry in PASSES:
        if entry.option is not None:
            assert set(everything) - set(Options().without(entry.option.name).selected_passes()) == {entry}


def test_options_from_text() -> None:
    given = {"cores": "2", "drop-dead": "no", "fold_copies": False, "accumulators": "On", "pack": 0, "reuse": True}
    assert Options.parse(given) == Options(cores=2).without("drop_dead", "fold_copies", "pack")
    assert Options.parse({"cores": "auto"}) == Options.parse({}) == Options()
    assert Options.parse({"pack": "off"}) != Options.parse({"pack": "on"}) == Options()


def test_the_table_reads_back() -> None:
    options = replace(Options(3, objective=Objective.ENERGY, deadline=1600), on=Options().without("pack").on)
    assert Options.parse(options.table()) == options
    assert list(options.table()) == list(documentation())
    assert options.table()["cores"] == 3
    assert Options().table()["cores"] == "auto"


def test_options_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Options().cores = 2  # type: ignore[misc]
    assert len({Options(), Options(), Options(cores=1)}) == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"core": 1}, "compiler option 'core': must be one of cores, reuse, "),
        ({"cores": "many"}, "compiler option cores: must be auto or a number from 1 on, not 'many'."),
        ({"cores": 0}, "compiler option cores: must be auto or a number from 1 on, not 0."),
        ({"cores": True}, "compiler option cores: must be auto or a number from 1 on, not True."),
        ({"cores": "\N{SUPERSCRIPT TWO}"}, "compiler option cores: must be auto or a number from 1 on, not "),
        ({"cores": "9" * 5000}, "compiler option cores: must be auto or a number from 1 on, not "),
        ({"deadline": 0}, "compiler option deadline: must be none or a number from 1 on, not 0."),
        ({"objective": "speed"}, "compiler option objective: must be one of cycles, energy, balanced, not 'speed'."),
        ({"objective": ["energy"]}, "compiler option objective: must be one of cycles, energy, balanced, not ["),
        ({"drop_dead": "perhaps"}, "compiler option drop_dead: must be true or false, not 'perhaps'."),
        ({"drop_dead": 2}, "compiler option drop_dead: must be true or false, not 2."),
    ],
)
def test_wrong_options_are_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        Options.parse(given)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("given", "meant"), [("core", "cores"), ("Drop-Ded", "drop_dead"), ("packweights", "pack_weights")]
)
def test_the_nearest_name_is_suggested(given: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"\. Did you mean {meant}\?$"):
        Options.parse({given: 1})


@pytest.mark.parametrize("name", ["", "colour", "x" * 100_000])
def test_nothing_is_suggested_for_what_is_like_no_name(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        Options.parse({name: 1})
    assert "Did you mean" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_python_is_refused_the_same() -> None:
    with pytest.raises(UsageError, match="must be auto or a number from 1 on, not 0"):
        Options(cores=0)
    with pytest.raises(UsageError, match=r"compiler option 'drop-dead': must be one of"):
        Options(on=frozenset({"drop-dead"}))
    with pytest.raises(UsageError, match="deadline: must be none or a number from 1 on, not -1"):
        Options(deadline=-1)
    for name in ("drop-dead", "cores", "objective"):
        with pytest.raises(UsageError, match=f"compiler option '{name}': must be one of"):
            Options().without(name)
