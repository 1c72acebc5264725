"""Field and temperature read from somebody else's sensor: found by entry point, recorded at intervals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pymeasure.instruments import Instrument

from labtrain import Recording, Session, entry_points
from labtrain.bench import Bench, read_plan
from labtrain.errors import BenchFileError, InstrumentError, UsageError
from labtrain.roles.spec import DriverSpec
from simulated_instruments.instrument import VirtualInstrument


class Gaussmeter(Instrument):
    """A third party's driver: it reads millitesla."""

    field = Instrument.measurement("FIELD?", "Get the field, in mT.", get_process=float)

    def __init__(self, adapter: Any, name: str) -> None:
        super().__init__(adapter, name, includeSCPI=False)


SPEC = DriverSpec(
    model="GM-1",
    role="sensor",
    open=lambda adapter, name, options: Gaussmeter(adapter, name),
    event_status=None,
    properties={"field": "mT"},
)


class VirtualGaussmeter(VirtualInstrument):
    """Its field falls by 1 mT with each reading, and its probe can come off."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.field, self.connected = 21.0, True

    def _carry_out(self, message: bytes) -> bytes | None:
        if message == b"FIELD?\n":
            self.field -= 1
            return b"%g\n" % self.field if self.connected else b"nan\n"
        return b"GM-1\n" if message == b"*IDN?\n" else b"1\n"

    def _come_back(self) -> None:
        self.field = 21.0

    def state_dict(self) -> dict[str, Any]:
        return {"field": self.field}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.field = state["field"]


class Point:
    def __init__(self, thing: Any) -> None:
        self.load = lambda: thing


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    drivers = entry_points._group(entry_points.DRIVERS)
    virtual = entry_points._group(entry_points.VIRTUAL_INSTRUMENTS)
    monkeypatch.setitem(drivers, "GM-1", Point(SPEC))
    monkeypatch.setitem(virtual, "GM-1", Point(VirtualGaussmeter))


FIELD = """
[instruments.gauss]
model = "GM-1"

[environment]
field = { instrument = "gauss", property = "field", interval = "10 s" }
temperature = { value = "295 K" }
"""


def test_it_is_read_at_the_start_and_at_intervals_and_recorded(small: str, tmp_path: Path) -> None:
    text = small + FIELD
    file = tmp_path / "run.h5"
    with Session.create(file, start={"command": "test"}, bench_file=text.encode()) as session:
        with Bench.open(text.encode(), sink=session) as bench:
            for _ in range(3):
                for _ in range(3):
                    with bench.route("reference", "top"):
                        pass
                bench.clock.sleep(11.0)
            assert bench.sensor("gauss").properties == {"field": "mT"}
        session.seal("complete")
    with Recording.open(file) as recording:
        rows = recording.rows("environment").columns
        assert list(rows["value"]) == pytest.approx([0.020, 0.019, 0.018])
        assert rows["bench_seconds"][0] == 0 and all(rows["bench_seconds"][1:] >= 10)
        assert set(rows["name"]) == {"field"} and set(rows["source"]) == {"gauss.field"}


def test_a_probe_that_came_off_is_no_field(small: str) -> None:
    with Bench.open((small + FIELD).encode()) as bench:
        bench._connection.connector.world._instruments["gauss"].connected = False
        with pytest.raises(InstrumentError, match="gauss.*nan"):
            bench.sensor("gauss").read("field")
        with pytest.raises(UsageError, match="did you mean field"):
            bench.sensor("gauss").read("feild")


@pytest.mark.parametrize(
    ("old", "new", "key", "word"),
    [
        ('instrument = "gauss"', 'instrument = "smu"', "environment.field.instrument", "sensors"),
        ('property = "field"', 'property = "feild"', "environment.field.property", "did you mean field"),
        ('property = "field"', 'property = "field", value = "1 T"', "environment.field", "not both"),
        ('{ value = "295 K" }', "{ }", "environment.temperature", "not both"),
        ("field = {", "temperatur = {", "environment.temperatur", "did you mean temperature"),
        ('interval = "10 s"', "interval = 10", "environment.field.interval", "has no unit"),
        (
            'temperature = { value = "295 K" }',
            'temperature = { instrument = "gauss", property = "field" }',
            "environment.temperature.property",
            "kelvin",
        ),
    ],
)
def test_what_cannot_be_read_is_a_problem_of_the_file(
    small: str, tmp_path: Path, old: str, new: str, key: str, word: str
) -> None:
    file = tmp_path / "bench.toml"
    assert old in FIELD
    file.write_text(small + FIELD.replace(old, new, 1))
    with pytest.raises(BenchFileError) as caught:
        read_plan(file)
    told = {one.key: f"{one.message} {one.remedy}" for one in caught.value.problems}
    assert word in told[key]
