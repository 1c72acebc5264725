"""What holds for every protocol: rows, plan, analysis from the file, replay, stopping, ending safe."""

import pytest
from protocols_cases import CASES, NAMES, stream_of

from labtrain import entry_points
from labtrain.cli.replaying import replay_recording
from labtrain.procedures import plan_procedure, run_procedure
from labtrain.progress import SilentProgress
from labtrain.session import Recording

each = pytest.mark.parametrize(("name", "devices", "settings"), CASES, ids=NAMES)


def load(name):
    return entry_points.load(entry_points.PROTOCOLS, name)


def test_every_protocol_of_the_interface_is_registered_and_has_a_case():
    assert sorted(entry_points.names(entry_points.PROTOCOLS)) == sorted(NAMES)


@each
def test_rows_are_as_declared_and_analysed_from_the_file_alone(everything, name, devices, settings):
    path, results = everything
    procedure, outcome = load(name), results[name]
    assert outcome["status"] == "complete" and not outcome["drifted"]
    with Recording.open(path) as recording:
        rows = recording.rows(stream_of(name))
        noted = recording.document(f"analysis/{stream_of(name).split('/')[1]}")
    assert list(rows.columns) == list(procedure.COLUMNS)
    assert len(rows) == outcome["points"] > 0
    assert repr(procedure.analyse(rows.columns, rows.attributes)) == repr(outcome["result"]) == repr(noted)
    assert set(rows.columns["flags"].tolist()) == {0}


@each
def test_the_plan_bounds_what_happens(chip, everything, name, devices, settings):
    figures = plan_procedure(load(name), chip.plan, chip.select(devices), settings)
    assert figures["points"] >= everything[1][name]["points"]
    assert figures["seconds"] > 0 and figures["max_volts"] > 0


def test_the_whole_session_replays_identical(everything):
    with Recording.open(everything[0]) as recording:
        report = replay_recording(recording, SilentProgress())
    assert report.identical and report.rows > 5000


class Stop:
    """Asks to stop at the n-th question."""

    def __init__(self, after):
        self.left = after

    def __call__(self):
        self.left -= 1
        return self.left < 0


@each
def test_stopping_early_ends_as_aborted_and_safe(chip, name, devices, settings):
    outcome = run_procedure(
        load(name), chip, chip.select(devices), settings, run_name="x", should_stop=Stop(3)
    )
    assert outcome.status == "aborted"
    assert_at_rest(chip)


@each
def test_an_exception_in_the_middle_leaves_the_bench_safe_and_passes_on(chip, name, devices, settings):
    class Interrupted(load(name)):
        def emit(self, topic, record):
            super().emit(topic, record)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_procedure(Interrupted, chip, chip.select(devices), settings, run_name="x")
    assert_at_rest(chip)


def assert_at_rest(chip):
    """No output of a source meter on, no relay closed, no generator hot beyond its idle at 0 V."""
    for meter in ("smu", "fast.a"):
        assert not chip.source_meter(meter).output_enabled
    assert not chip.switch_matrix("matrix").closed
