"""Every protocol on the demo bench: one contract, and what each must find."""

import re
from pathlib import Path

import numpy as np
import pytest

from labtrain.bench import Bench, locate_bench
from labtrain.errors import CheckFailed, LimitExceeded, UsageError
from labtrain.procedures import plan_procedure, run_procedure
from labtrain.session import Recording, Session
from labtrain.session.sink import NullSink
from labtrain.twins import fit_files
from protocols.contact_check import ContactCheck
from protocols.iv_curve import IVCurve
from protocols.switching_probability import SwitchingProbability

CASES = [
    (ContactCheck, "neurons[2:4],reference", {"nplc": 0.1}),
    (IVCurve, "neurons[0],neurons[3],neurons[6]", {"points": 41}),
    (
        SwitchingProbability,
        "sot",
        {"points": 6, "repeats": 8, "start": "0.5V", "stop": "0.66V", "calibration": 4},
    ),
]
NAMES = [case[0].NAME for case in CASES]
DEMO = locate_bench(Path("demo"))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """One session with all cases: the results, and the sealed file."""
    folder = tmp_path_factory.mktemp("measured")
    patch = pytest.MonkeyPatch()
    patch.setenv("LABTRAIN_STATE", str(folder / "state"))
    results = {}
    with (
        Session.create(folder / "s.h5", start={"command": "run"}, bench_file=DEMO.read_bytes()) as session,
        Bench.open(DEMO, sink=session) as bench,
    ):
        for i, (procedure, devices, settings) in enumerate(CASES):
            name = f"{i + 1:04d}_{procedure.NAME}"
            results[procedure.NAME] = run_procedure(
                procedure, bench, bench.select(devices), settings, seed=3, run_name=name, sink=session
            )
    yield results, folder / "s.h5"
    patch.undo()


class CountingSink(NullSink):
    """Counts what is sent to instruments and which streams are opened."""

    def __init__(self):
        super().__init__()
        self.sent, self.streams = 0, 0

    def command(self, port, payload, t_ns):
        self.sent += port != "clock"
        return super().command(port, payload, t_ns)

    def stream(self, name, columns, attributes):
        self.streams += 1
        return super().stream(name, columns, attributes)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("LABTRAIN_STATE", str(tmp_path))
    with Bench.open(DEMO, sink=CountingSink()) as bench:
        yield bench


@pytest.mark.parametrize(("i", "case"), list(enumerate(CASES)), ids=NAMES)
def test_rows_are_recorded_as_planned_and_analysed_from_the_file_alone(measured, i, case):
    results, path = measured
    procedure, devices, settings = case
    outcome = results[procedure.NAME]
    assert outcome.status == "complete"
    with Recording.open(path) as recording:
        rows = recording.rows(f"runs/{i + 1:04d}_{procedure.NAME}/points")
        noted = recording.document(f"analysis/{i + 1:04d}_{procedure.NAME}")
    assert list(rows.columns) == list(procedure.COLUMNS)
    assert len(rows) == outcome.points
    again = procedure.analyse(rows.columns, rows.attributes)
    assert repr(again) == repr(outcome.result)
    assert repr(noted) == repr(outcome.result)
    assert rows.attributes["protocol"] == procedure.NAME
    for name, value in settings.items():
        assert rows.attributes["parameters"][name] == (
            value if not isinstance(value, str) else float(value[:-1])
        )


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_plan_is_what_happens(bench, measured, case):
    procedure, devices, settings = case
    ran = measured[0][procedure.NAME]
    lifted = {name.rpartition(".")[0] for name in ran.not_driven}
    devices = [device for device in bench.select(devices) if device.name not in lifted]
    figures = plan_procedure(procedure, bench.plan, devices, settings)
    assert figures["points"] == ran.points
    assert 0 < figures["seconds"] < 3600 and figures["max_volts"] > 0


def test_the_contact_check_finds_the_dead_neuron_and_the_reference(measured):
    found = measured[0]["contact-check"].result
    assert found["out_of_specification"] == ["neurons[3].top", "neurons[3].top_pair"]
    assert found["terminals"]["reference.top"]["ohm"] == pytest.approx(10e3, rel=2e-2)


def test_twins_tell_a_healthy_and_a_stuck_neuron_apart_and_have_none_of_a_dead_one(measured):
    devices = fit_files([measured[1]]).devices
    assert devices["neurons[0]/top"].verdict == "describes"
    assert "neurons[3]/top" not in devices
    stuck = devices["neurons[6]/top"]
    assert (stuck.verdict, stuck.better_model) == ("does-not-describe", "resistance")


def test_a_dead_device_is_named_and_not_driven(measured):
    assert measured[0]["iv-curve"].not_driven == ("neurons[3].top", "neurons[3].top_pair")
    with Recording.open(measured[1]) as recording:
        rows = recording.rows("runs/0002_iv-curve/points").columns
        contact = recording.document("contacts/neurons[3].top")
    assert "neurons[3]" not in rows["device"].astype(str)
    assert contact["ok"] is False and "open" in contact["reason"]
    assert np.nanmax(np.abs(rows["volts"])) <= 0.55


def test_nothing_is_recorded_where_no_device_has_contact(bench):
    with pytest.raises(CheckFailed, match=r"neurons\[3\]\.top") as caught:
        run_procedure(IVCurve, bench, bench.select("neurons[3]"), {}, run_name="0001_iv-curve")
    assert caught.value.exit_code == 1


def test_switching_is_counted_in_random_order_and_only_where_the_reset_held(measured):
    with Recording.open(measured[1]) as recording:
        rows = recording.rows("runs/0003_switching-probability/points").columns
    attempts = rows["kind"].astype(str) == "attempt"
    volts = np.abs(rows["volts"][attempts])
    assert np.any(np.diff(volts[:12]) < 0) and np.any(np.diff(volts[:12]) > 0)
    blocks = volts.reshape(8, 12)
    assert np.allclose(np.sort(blocks, axis=1), np.sort(blocks[0]))  # each block holds every amplitude
    assert not np.array_equal(blocks[0], blocks[1])
    valid = rows["valid"] & attempts
    before = rows["ohm_before"][valid] > rows["threshold"][valid]
    assert np.array_equal(before, rows["direction"][valid].astype(str) == "AP->P")


def test_an_unclear_device_is_not_counted(bench):
    """Reset pulses too weak to switch anything leave one state, and that is said."""
    from labtrain.errors import CheckFailed

    with pytest.raises(CheckFailed, match="two clear states"):
        run_procedure(
            SwitchingProbability,
            bench,
            bench.select("sot"),
            {"reset_amplitude": "0.2V", "calibration": 4},
            run_name="x",
        )


@pytest.mark.parametrize(
    ("procedure", "devices", "settings", "error", "words"),
    [
        (IVCurve, "neurons[0]", {"stop_current": "80uA"}, LimitExceeded, "limit of 55 uA"),
        (IVCurve, "neurons[0]", {"compliance": "1"}, LimitExceeded, "550 mV"),
        (IVCurve, "neurons[0]", {"start_current": "50uA"}, UsageError, "both"),
        (IVCurve, "neurons[0]", {"terminal": "line"}, UsageError, "its terminals: top, top_pair"),
        (SwitchingProbability, "sot", {"stop": "2V"}, LimitExceeded, "1.3 V"),
        (SwitchingProbability, "sot", {"width": "1us"}, LimitExceeded, "50 ns"),
        (SwitchingProbability, "sot", {"start": "0.9V"}, UsageError, "not below stop"),
        (SwitchingProbability, "neurons[0]", {"pulse_terminal": "line"}, UsageError, "no terminal 'line'"),
        (SwitchingProbability, "neurons[0]", {}, LimitExceeded, "550 mV"),
        (SwitchingProbability, "sot", {"width": "20 ns", "widths": 3}, UsageError, "stop_width"),
        (ContactCheck, "neurons[0]", {"voltage": "0.1V"}, UsageError, "at most 20 mV"),
        (ContactCheck, None, {}, UsageError, "no devices"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(bench, procedure, devices, settings, error, words):
    before = bench.sink.sent
    with pytest.raises(error, match=words):
        chosen = bench.select(devices) if devices else []
        run_procedure(procedure, bench, chosen, settings, run_name="0001_x", sink=bench.sink)
    assert bench.sink.sent == before and bench.sink.streams == 0


def test_stopping_ends_as_aborted_with_what_was_measured(bench):
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 4

    outcome = run_procedure(ContactCheck, bench, bench.select("neurons"), {}, run_name="x", should_stop=stop)
    assert outcome.status == "aborted" and 0 < outcome.points < 80
    assert not bench.source_meter("smu").output_enabled and not bench.switch_matrix("matrix").closed


def test_an_exception_in_the_middle_leaves_the_bench_safe_and_passes_on(bench):
    class Interrupted(IVCurve):
        def emit(self, topic, record):
            super().emit(topic, record)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_procedure(Interrupted, bench, bench.select("neurons[0]"), {}, run_name="x")
    assert not bench.source_meter("smu").output_enabled and not bench.switch_matrix("matrix").closed


def test_shutdown_runs_even_when_startup_fails(bench):
    calls = []

    class Failing(ContactCheck):
        def startup(self):
            calls.append("startup")
            raise RuntimeError("no")

        def shutdown(self):
            calls.append("shutdown")

    with pytest.raises(RuntimeError):
        run_procedure(Failing, bench, bench.select("neurons[0]"), {}, run_name="x")
    assert calls == ["startup", "shutdown"]


def test_the_page_on_adding_a_protocol_works_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.setenv("LABTRAIN_STATE", str(tmp_path))
    page = Path(__file__).resolve().parents[2] / "docs" / "add-a-protocol.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    assert names["FIT"]["model"] == "resistance"
