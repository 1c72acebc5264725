"""A device that fails a check while it is measured ends its own measurement, not that of the others."""

import pytest
from protocols_cases import BENCH

from labtrain.bench import Bench
from labtrain.cli.replaying import replay_recording
from labtrain.cli.steps import carry_out_on, check_failed, protocol_step
from labtrain.errors import CheckFailed
from labtrain.progress import SilentProgress
from labtrain.session import Recording, Session

QUICK = {"points": "4", "repeats": "4", "start": "0.5V", "stop": "0.66V", "calibration": "4"}


def measured(path, stuck, protocol="switching-probability", devices="sot", settings=QUICK):
    """Run a protocol on a bench where ``stuck`` devices do not respond; return its result and the world."""
    bench_file = BENCH.read_text() + f"\n[faults]\nstuck = {stuck}\n".replace("'", '"')
    step = protocol_step(protocol, devices, settings, 1)
    start = {"command": "run", "steps": [step], "seed": 1, "argv": []}
    with (
        Session.create(path, start=start, bench_file=bench_file.encode()) as session,
        Bench.open(bench_file.encode(), sink=session) as bench,
    ):
        world = bench._connection.connector.world.world
        results, _ = carry_out_on(bench, [step], session, SilentProgress(), 1, None)
    return results, world


@pytest.mark.parametrize("stuck", ["sot[0]", "sot[1]"])
def test_the_others_are_measured_and_the_failure_is_named(tmp_path, stuck):
    results, world = measured(tmp_path / "s.h5", [stuck])
    (result,) = results.values()
    assert list(result["failed"]) == [stuck]
    assert result["status"] == "complete"
    assert stuck in str(check_failed(results))  # exit 1
    assert not world.outputs_on and not world.closed_relays
    with Recording.open(tmp_path / "s.h5") as recording:
        devices = set(recording.rows("runs/0001_switching-probability/points").columns["device"])
        other = "sot[1]" if stuck == "sot[0]" else "sot[0]"
        assert other in devices
        assert stuck in recording.document("failed/0001_switching-probability")
        assert replay_recording(recording, SilentProgress()).identical


def test_where_all_fail_the_run_fails(tmp_path):
    with pytest.raises(CheckFailed, match="every device failed"):
        measured(tmp_path / "s.h5", ["sot[0]", "sot[1]"])


def test_one_device_fails_by_its_own_words(tmp_path):
    with pytest.raises(CheckFailed) as caught:
        measured(tmp_path / "s.h5", ["sot[0]"], devices="sot[0]")
    assert "every device" not in str(caught.value)
