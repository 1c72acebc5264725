"""Chips that a file states, a twin or a table: on a bench, in training, in a replay."""

import json
import tomllib

import numpy as np
import pytest
from typer.testing import CliRunner

from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.bench import bench_bytes, locate_bench, read_plan
from labtrain.clock import VirtualClock
from labtrain.errors import BenchFileError
from labtrain.physics import neuron
from labtrain.populations import population_of_plan
from labtrain.session import Recording
from simulated_instruments.world import World

DEMO = locate_bench("demo").read_text()
NEURONS = 'kind = "mtj-neuron-pair"\ncount = 10 '
FAULTS = ('dead = ["neurons[3]"]', 'stuck = ["neurons[6]"]')


def command(*words):
    """Run a labtrain command; return its exit code and the fields of its last line."""
    from labtrain.cli.app import app

    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    return done.exit_code, json.loads(done.stdout.strip().splitlines()[-1])


def changed(text, *changes):
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


def healthy(text, *changes):
    return changed(text, *((fault, "") for fault in FAULTS), *changes)


FROM_TWIN = (
    (NEURONS, 'kind = "twins.toml"\ncount = 2 '),
    ('current = "55 uA", power = "30.25 uW"', 'current = "50 uA", power = "30 uW"'),
    ("mismatch = 0.05 ", ""),
    ('read_noise = "50 uV"', ""),
    ('kind = "sot-mtj"', 'kind = "twins.toml"\nr_line = "776 ohm"'),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A session of two neuron pairs and a switch, the twin fitted from it, and a bench of the twin."""
    place = tmp_path_factory.mktemp("stated")
    (place / "chip.toml").write_text(healthy(DEMO))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABTRAIN_STATE", str(place / "state"))
        bench = ("--bench", place / "chip.toml")
        iv, sw = place / "iv.h5", place / "sw.h5"
        assert command("run", "iv-curve", *bench, "--device", "neurons[0:2]", "--out", iv)[0] == 0
        pulses = ("--set", "width=12ns", "--set", "repeats=15")
        assert (
            command("run", "switching-probability", *bench, "--device", "sot", *pulses, "--out", sw)[0] == 0
        )
        code, fields = command("fit", iv, sw, "--out", place / "twins.toml")
    assert code == 0 and {one["verdict"] for one in fields["devices"].values()} == {"describes"}
    (place / "twin-bench.toml").write_text(healthy(DEMO, *FROM_TWIN))
    return place


def test_a_twin_says_at_which_width_it_was_measured(folder):
    plan = read_plan(folder / "twin-bench.toml")
    assert plan.arrays["sot"].kind == "sot-mtj" and plan.arrays["sot"].source == "twins.toml"
    assert plan.arrays["sot"].cells["t_ref"] == (12e-9,)
    assert plan.arrays["sot"].cells["r_line"] == (776.0,)


def test_the_chip_of_a_twin_is_the_chip_that_was_measured(folder):
    """Each pair's own parameters, in its own place: within 6 % of the truth, and not another device's."""
    truth = population_of_plan(read_plan(folder / "chip.toml").arrays["neurons"], 1).parameters
    fitted = population_of_plan(read_plan(folder / "twin-bench.toml").arrays["neurons"], 1).parameters
    # R_P and the series resistance cannot be told apart by V(I): the fit holds their sum.
    np.testing.assert_allclose(fitted["r_p"], truth["r_p"][:4] + truth["r_series"][:4], rtol=0.03)
    np.testing.assert_allclose(fitted["i50"], truth["i50"][:4], atol=0.15e-6)
    assert np.argmax(fitted["r_p"]) == np.argmax(truth["r_p"][:4])


def test_protocols_run_on_a_twin_and_find_it_again(folder):
    out = folder / "again.h5"
    bench = ("--bench", folder / "twin-bench.toml")
    assert command("run", "iv-curve", *bench, "--device", "neurons[0]", "--out", out)[0] == 0
    code, _ = command("fit", out, "--out", folder / "again.toml")
    again, first = (
        tomllib.loads((folder / name).read_text())["devices"] for name in ("again.toml", "twins.toml")
    )
    for device in ("neurons[0]/top", "neurons[0]/top_pair"):
        for name, reach in (("r_p", 100.0), ("i50", 0.2e-6), ("w", 0.2e-6)):
            was, now = (twin[device]["parameters"][name]["value"] for twin in (first, again))
            assert now == pytest.approx(was, abs=reach), (device, name)
    assert code == 0


def test_training_on_a_twin_replays_without_the_twins_file(folder, tmp_path):
    for name in ("twin-bench.toml", "twins.toml"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    out = tmp_path / "t.h5"
    short = [("--set", one) for one in ("epochs=1", "folds=2", "hidden=2", "calibration_repeats=1")]
    words = [word for pair in short for word in pair]
    code, fields = command("train", "iris-afd", "--bench", tmp_path / "twin-bench.toml", *words, "--out", out)
    assert code == 0 and fields["neurons"] == ["neurons[0]", "neurons[1]"]
    kept = (tmp_path / "twins.toml").read_text()
    (tmp_path / "twins.toml").unlink()
    with Recording.open(out) as recording:
        assert tomllib.loads(recording.bench_file.decode())["files"] == {"twins.toml": kept}
    code, fields = command("replay", out)
    assert (code, fields["identical"]) == (0, True)


def test_one_population_gives_the_same_events_on_the_bench_and_as_an_array(folder):
    plan = read_plan(folder / "twin-bench.toml")
    world = World(plan, VirtualClock())
    neurons = population_of_plan(plan.arrays["neurons"], plan.seed)
    amperes = np.linspace(5e-6, 45e-6, 10).reshape(5, 2)
    forward, _ = SimulatedNeuronArray(neurons, Readout(seconds=2e-4)).respond_pair(amperes, amperes)
    for i in range(2):
        branch = world.devices[f"neurons[{i}]"].branches[0]
        driven = np.ascontiguousarray(amperes[:, i])
        expected = neuron.mean_voltage(neurons.cell(2 * i), driven) + branch.noise(driven, 2e-4)
        np.testing.assert_allclose(forward.volts[:, i], expected, rtol=1e-12)
    switch = world.devices["sot"]
    switches = SimulatedSwitchArray(population_of_plan(plan.arrays["sot"], plan.seed), reset_seconds=12e-9)
    volts = np.tile([0.55, -0.57, 0.58], 40)[:, None]
    outcome, switched = switches.attempt(volts, 12e-9), []
    for pulse in volts[:, 0]:
        switch.pulsed(switch.branches[0], -np.sign(pulse) * 1.0, 12e-9, 1)
        start = switch.magnet.antiparallel
        switch.pulsed(switch.branches[0], float(pulse), 12e-9, 1)
        switched.append(switch.magnet.antiparallel != start)
    assert 0.2 < np.mean(switched) < 0.8
    np.testing.assert_array_equal(outcome.switched[:, 0], switched)


TABLE = """
model = "mtj-neuron-pair"
[parameters]
i50 = ["29 uA", "31 uA", "30 uA", "30.5 uA"]
r_p = { value = "4 kohm", spread = 0.05 }
w = { value = "2 uA", deviation = "50 nA" }
tau_c = "30 ns"
"""


def test_a_table_states_a_chip_with_spreads_that_do_not_depend_on_its_size(tmp_path):
    (tmp_path / "cells.toml").write_text(TABLE)
    bench = tmp_path / "bench.toml"
    changes = [
        (NEURONS, 'kind = "cells.toml"\ncount = 2 '),
        *((one, "") for one in ("mismatch = 0.05 ", 'read_noise = "50 uV"')),
    ]
    bench.write_text(healthy(DEMO, *changes))
    array = read_plan(bench).arrays["neurons"]
    assert array.kind == "mtj-neuron-pair" and array.cells["i50"] == (29e-6, 31e-6, 30e-6, 30.5e-6)
    assert set(array.cells["tau_c"]) == {30e-9} and len(set(array.cells["r_p"])) == 4
    (tmp_path / "cells.toml").write_text(
        changed(TABLE, ('["29 uA", "31 uA", "30 uA", "30.5 uA"]', '"30 uA"'))
    )
    bench.write_text(changed(bench.read_text(), ("count = 2 ", "count = 7 ")))
    wider = read_plan(bench).arrays["neurons"]
    assert wider.cells["r_p"][:4] == array.cells["r_p"] and wider.cells["w"][:4] == array.cells["w"]
    assert read_plan(bench_bytes(bench)) == read_plan(bench)


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        (('"twins.toml"\ncount = 2', '"twin.toml"\ncount = 2'), "arrays.neurons.kind", "no such file"),
        (
            ('"twins.toml"\ncount = 2', '"/twins.toml"\ncount = 2'),
            "arrays.neurons.kind",
            "relative to the bench",
        ),
        (("count = 2 ", "count = 3 "), "arrays.neurons.kind", "2 are there"),
        (("count = 2 ", 'count = 1\ntwins = ["neurons[7]"]'), "arrays.neurons.kind", "no device"),
        (("count = 2 ", "count = 2\nmismatch = 0.05 "), "arrays.neurons.mismatch", "beside a twin"),
        (("count = 2 ", 'count = 2\nr_p = "4 kohm" '), "arrays.neurons.r_p", "given by the twin"),
        (("count = 2 ", 'count = 2\ntau_c = "4 V" '), "arrays.neurons.tau_c", "seconds?"),
        (('current = "50 uA"', 'current = "60 uA"'), "arrays.neurons.limits", "measured up to 50"),
        (
            ('kind = "twins.toml"\nr_line', 'kind = "twins.toml"\ntwins = ["neurons[0]"]\nr_line'),
            "devices.sot.r_line",
            "beside a twin",
        ),
    ],
)
def test_what_a_twin_cannot_give_is_a_problem_of_the_bench_file(folder, change, key, message):
    place = folder / "bad.toml"
    place.write_text(changed((folder / "twin-bench.toml").read_text(), change))
    with pytest.raises(BenchFileError) as caught:
        read_plan(place)
    assert [problem.key for problem in caught.value.problems if problem.key == key]
    (problem,) = [one for one in caught.value.problems if one.key == key][:1]
    assert problem.remedy and problem.line
    assert any(part in str(problem) for part in message.split("?"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = ", "is not TOML"),
        ("format = 99", "format 99"),
        ("format = 1\ndevices = 3", "incomplete"),
        ('model = "mtj-neuron-pear"', "mtj-neuron-pair"),
        ('model = "mtj-neuron-pair"\nextra = 1', "unknown key"),
        ('model = "mtj-neuron-pair"\n[parameters]\nr_p = ["1 kohm"]', "1 values where 4"),
        ('model = "mtj-neuron-pair"\n[parameters]\nr_p = { value = "1 kohm", spred = 1 }', "spread"),
        ('model = "mtj-neuron-pair"\n[parameters]\nr_p = "-1 kohm"', "outside"),
    ],
)
def test_files_that_state_nothing_are_problems_of_the_bench_file(tmp_path, text, message):
    (tmp_path / "cells.toml").write_text(text)
    bench = tmp_path / "bench.toml"
    changes = [
        (NEURONS, 'kind = "cells.toml"\ncount = 2 '),
        *((one, "") for one in ("mismatch = 0.05 ", 'read_noise = "50 uV"')),
    ]
    bench.write_text(healthy(DEMO, *changes))
    with pytest.raises(BenchFileError) as caught:
        read_plan(bench)
    (problem,) = caught.value.problems
    assert problem.key == "arrays.neurons.kind" and message in str(problem) and "cells.toml" in str(problem)
