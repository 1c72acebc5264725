"""Every stream stands under one sequence number and may begin at any time; what is recorded in full
needs no device model to be replayed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain.arrays.replayed_roles import ReplayedNeuronArray
from labtrain.cli.recorded import Order, record
from labtrain.cli.replaying import replay_recording
from labtrain.cli.steps import protocol_step, train_step
from labtrain.progress import SilentProgress
from labtrain.session import Column, Recording, Session, Tail

CONTEXTS = {
    "points": lambda s, k: s.stream(f"runs/{k:04d}_x/points", {"v": Column(unit="V")}, {}).append({"v": 0.1}),
    "steps": lambda s, k: s.stream(f"train/x{k}/steps", {"loss": Column()}, {}).append({"loss": 0.1}),
    "pulses": lambda s, k: s.stream(
        f"train/x{k}/pulses",
        {
            "cell": Column("int64"),
            "count": Column("int64"),
            "volts": Column(unit="V"),
            "width": Column(unit="s"),
        },
        {},
    ).append({"cell": k, "count": 2, "volts": 0.8, "width": 1e-8}),
    "environment": lambda s, k: s.stream(
        f"environment/{k}", {"t_ns": Column("int64", "ns"), "field": Column(unit="T")}, {}
    ).append({"t_ns": k, "field": 0.02}),
    "drift": lambda s, k: s.stream(f"train/x{k}/drift", {"ohm": Column(unit="ohm")}, {}).append({"ohm": 1e4}),
    "message": lambda s, k: s.reply("smu", s.command("smu", b"READ?\n", k), b"1\n", "ok", k),
    "timeout": lambda s, k: s.reply("smu", s.command("smu", b"READ?\n", k), b"", "timeout", k),
    "exchange": lambda s, k: s.exchange(f"a{k}", "respond", {"x": np.zeros(k % 3)}, {"y": np.ones((k, 2))}),
    "array": lambda s, k: s.array(f"train/w{k}", np.arange(float(k))),
    "document": lambda s, k: s.document(f"analysis/{k}", {"k": k}),
    "note": lambda s, k: s.note(f"note {k}"),
}


@settings(max_examples=12)
@given(order=st.lists(st.sampled_from(sorted(CONTEXTS)), max_size=25))
def test_any_stream_begins_at_any_time_under_one_sequence(tmp_path_factory, order: list[str]) -> None:
    path = tmp_path_factory.mktemp("streams") / "run.h5"
    with Session.create(path, start={}) as session, Tail(path) as tail:
        for k, name in enumerate(order):
            CONTEXTS[name](session, k)
        seqs = [one.seq for one in tail.records()]
        assert seqs == list(range(1, len(seqs) + 1))
    with Recording.open(path) as recording:
        rows = {"points", "steps", "pulses", "environment", "drift"}
        assert len(recording.stream_names()) == sum(name in rows for name in order)
        spans = [recording.stream_span(name) for name in recording.stream_names()]
        assert spans == sorted(spans) and all(first == last > 0 for first, last in spans)
        assert recording.counts["messages"] == sum(name in ("message", "timeout") for name in order)
        assert len(recording.notes) == order.count("note")


def test_a_chip_recorded_in_full_is_replayed_without_a_device_model(tmp_path: Path) -> None:
    full, digest = (
        record(
            Order(
                "train",
                [train_step("iris-afd", None, {"epochs": "1", "folds": "2", "record": how}, baseline=False)],
                5,
                out=tmp_path / f"{how}.h5",
            ),
            SilentProgress(),
        )
        for how in ("full", "digest")
    )
    with Recording.open(full.session) as recording, Recording.open(digest.session) as other:
        assert recording.counts["exchanges"] == other.counts["exchanges"] > 10
        assert {tuple(call.outputs) for call in list(other.exchanges("neurons"))[1:]} == {("digest",)}
        steps = [one.rows("train/iris-afd/steps").columns["digest"].tolist() for one in (recording, other)]
        assert steps[0] == steps[1]
        replayed = ReplayedNeuronArray(recording, "neurons")
        first = recording.exchanges("neurons")[1]
        assert first.verb == "respond_pair"
        whole = replayed.select(first.inputs["indices"].tolist())
        forward, _ = whole.respond_pair(first.inputs["amperes"], first.inputs["partner_amperes"])
        assert forward.volts.tobytes() == first.outputs["volts"].tobytes()
        assert replay_recording(recording, SilentProgress()).identical


def test_a_run_records_where_it_came_from_and_what_surrounded_it(tmp_path: Path) -> None:
    step = protocol_step("contact-check", "sot", {}, 1)
    done = record(Order("run", [step], 3, Path("demo"), out=tmp_path / "a.h5"), SilentProgress())
    with Recording.open(done.session) as recording:
        bench = recording.document("live/bench")
        assert bench["environment"]["field"] == {"value": 0.02, "unit": "tesla", "source": "manual"}
        assert bench["sample"]["wafer"] == "SIM1" and {"wires", "arrays", "hazards"} <= bench.keys()
        assert bench["arrays"]["sot"]["devices"]["sot"]["terminals"]["top"]["limits"]["voltage"] == 0.3
        assert recording.document("instruments/smu")["idn"].startswith("KEITHLEY")
        assert {"git", "packages", "host", "argv", "python"} <= recording.provenance.keys()
        assert recording.start["seed"] == 3 and recording.bench_file


@pytest.mark.parametrize("unit", ["V", "ohm", "uA", "tesla", "percent", "", "1/s"])
def test_units_are_kept_on_every_column(tmp_path: Path, unit: str) -> None:
    with Session.create(tmp_path / "a.h5", start={}) as session:
        session.stream("a/b", {"v": Column(unit=unit)}, {}).append({"v": 1.0})
    with Recording.open(session.path) as recording:
        assert recording.rows("a/b").units == {"v": unit}
