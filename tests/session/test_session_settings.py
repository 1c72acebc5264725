"""How every instrument was set at both ends of a run stands in its record, as it says itself."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from labtrain.bench import Bench
from labtrain.bench.instrument_settings import NOT_READ
from labtrain.cli.app import app
from labtrain.cli.recorded import Order, record
from labtrain.cli.replaying import replay_recording
from labtrain.cli.steps import protocol_step
from labtrain.errors import InstrumentTimeout
from labtrain.progress import SilentProgress
from labtrain.session import NullSink, Recording, Session

SCPI = ("2400", "2450", "33522B", "81160A", "2700")


def test_every_model_answers_all_that_is_asked_without_an_error(tmp_path: Path) -> None:
    with Session.create(tmp_path / "a.h5", start={}) as session:
        with Bench.open(Path("every-instrument"), sink=session) as bench:
            bench.note_settings("start")
            for alias, port in bench._connection.ports.items():
                if bench._connection._specs[alias].model in SCPI:
                    assert port.raw([b":SYST:ERR?\n"])[0].startswith((b"0,", b"+0,"))
            expected = {alias: set(spec.settings) for alias, spec in bench._connection._specs.items()}
    with Recording.open(tmp_path / "a.h5") as recording:
        for alias, names in expected.items():
            assert names and set(recording.document(f"settings/{alias}/start")) == names


def test_a_run_notes_both_ends_and_inspect_shows_them(tmp_path: Path) -> None:
    step = protocol_step("iv-curve", "neurons[0]", {"points": "5", "repeats": "1"}, 1)
    done = record(Order("run", [step], 3, Path("demo"), out=tmp_path / "a.h5"), SilentProgress())
    with Recording.open(done.session) as recording:
        start, end = (recording.document(f"settings/smu/{moment}") for moment in ("start", "end"))
        assert start["output"] == end["output"] == "0"
        assert start.keys() == end.keys() and start != end  # the sweep has set ranges and limits
        assert replay_recording(recording, SilentProgress()).identical
    shown = CliRunner().invoke(app, ["session", "inspect", str(done.session), "--json"])
    fields = json.loads(shown.stdout.strip().splitlines()[-1])
    assert fields["settings"]["settings of smu at end"] == end


def test_an_instrument_that_does_not_answer_is_asked_nothing_more() -> None:
    from labtrain.bench.instrument_settings import read_settings

    with Bench.open(Path("demo"), sink=NullSink()) as bench:
        port, spec = bench._connection.ports["smu"], bench._connection._specs["smu"]

        class Mute:
            def role_call(self):
                return port.role_call()

            def write(self, message: bytes) -> None:
                raise InstrumentTimeout("no answer", instrument="smu")

        found = read_settings(Mute(), spec)
    assert list(found) == [NOT_READ] and "no answer" in found[NOT_READ]
