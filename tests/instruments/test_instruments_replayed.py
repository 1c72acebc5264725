"""The replayed mount of the contracts is strict: another re-run, or a shorter one, is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from instruments_calls import Call, play_again
from instruments_rigs import MeterRig
from instruments_stages import Stage

from labtrain.session import Session


def recorded(path: Path) -> list[Call]:
    calls: list[Call] = []
    with Session.create(path, start={"command": "contract"}) as session:
        rig = MeterRig(stage=Stage(sink=session))
        rig.greet()
        rig.observe(calls)
        rig.meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.1)
        rig.meter.output_enabled = True
        rig.meter.source_voltage = 0.3
        rig.meter.measure()
        rig.meter.shutdown()
        rig.close()
    return calls


def test_the_same_calls_bring_the_same(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    play_again(lambda stage: MeterRig(stage=stage), recorded(path), path)


@pytest.mark.parametrize("change", ["another level", "another result", "one call less"])
def test_another_run_is_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "s.h5"
    calls = recorded(path)
    level = next(k for k, call in enumerate(calls) if call.verb == "set" and call.name == "source_voltage")
    changed = {
        "another level": [*calls[:level], _with(calls[level], arguments=(0.2,)), *calls[level + 1 :]],
        "another result": [*calls[:-2], _with(calls[-2], outcome="elsewhere"), calls[-1]],
        "one call less": calls[:-1],
    }[change]
    with pytest.raises(AssertionError):
        play_again(lambda stage: MeterRig(stage=stage), changed, path)


def _with(call: Call, **fields: object) -> Call:
    return Call(**{**{name: getattr(call, name) for name in Call.__dataclass_fields__}, **fields})
