"""`safe_state = "grounded"`: every way out leaves the devices on ground; the next use lifts them first."""

from __future__ import annotations

import pytest

from labtrain.bench import Bench
from labtrain.bench.planning import read_setup
from labtrain.errors import BenchFileError

GROUND = '\n[wires."matrix.row7"]\nto = "ground"\n'
COLUMNS = (0, 1, 2, 3, 20, 21)


def grounded(small: str) -> bytes:
    return (small.replace("seed = 7", 'hazards.safe_state = "grounded"') + GROUND).encode()


def closed(world) -> set[tuple[int, int]]:
    assert world.stress  # time has caught up
    return {(relay.row, relay.column) for relay in world.closed_relays}


def test_the_bench_ends_on_ground_and_is_lifted_before_it_is_used_again(small: str) -> None:
    with Bench.open(grounded(small)) as bench:
        world = bench._connection.connector.world.world
        assert bench.contact_check("reference", "top").ok
        assert closed(world) == set()
        bench.safe_state()
        assert closed(world) == {(7, column) for column in COLUMNS}
        with bench.route("reference", "top") as meter:
            assert closed(world) == {(1, 21)}, "the device would be measured through ground"
            meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
            meter.source_voltage = 0.1
            meter.output_enabled = True
            assert meter.measure().amperes == pytest.approx(10e-6, rel=0.02)
    assert closed(world) == {(7, column) for column in COLUMNS}
    assert not any(one.transients for one in world.stress.values())


def test_every_way_into_the_safe_state_sends_the_same_lines(small: str) -> None:
    lines = read_setup(grounded(small)).specs["matrix"].safe_off
    assert lines == (b"OPENALL\n", *(b"CLOSE 7,%d\n" % column for column in COLUMNS))
    assert read_setup(small.encode()).specs["matrix"].safe_off == (b"OPENALL\n",)


def test_a_bench_without_a_grounded_row_cannot_be_grounded(small: str) -> None:
    with pytest.raises(BenchFileError, match="no matrix has a row that is wired to ground") as caught:
        read_setup(small.replace("seed = 7", 'hazards.safe_state = "grounded"').encode())
    assert "matrix.row7" in caught.value.remedy


@pytest.mark.parametrize(("state", "word"), [("normal", b"NORM"), ("high-z", b"HIMP"), ("zero", b"ZERO")])
def test_the_output_off_state_of_the_bench_file_reaches_the_instrument(
    small: str, state: str, word: bytes
) -> None:
    text = small.replace('model = "2450"', f'model = "2450"\noutput_off_state = "{state}"')
    with Bench.open(text.replace("seed = 7", "hazards.raw = true").encode()) as bench:
        assert bench.contact_check("reference", "top").ok
        for mode in ("VOLT", "CURR"):
            assert bench.raw("smu", f":OUTP:{mode}:SMOD?") == word.decode()


def test_remote_sense_that_somebody_left_on_is_off_before_anything_is_driven(small: str) -> None:
    with Bench.open(small.replace("seed = 7", "hazards.raw = true").encode()) as bench:
        bench.raw("smu", ":SENS:CURR:RSEN ON")
        assert bench.raw("smu", ":SENS:CURR:RSEN?") == "1"
        assert bench.contact_check("reference", "top").ok
        assert bench.raw("smu", ":SENS:CURR:RSEN?") == "0"
        assert bench._connection.connector.world.world.stress["reference.top"].max_volts < 0.021
