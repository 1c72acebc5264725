"""Pulses are charged before they are sent, in a logbook that outlives the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from labtrain.bench import Bench
from labtrain.bench.endurance import EnduranceBook, book_path
from labtrain.bench.planning import read_plan
from labtrain.errors import LimitExceeded, RecordError
from labtrain.limits import Limits


def test_the_count_is_kept_from_run_to_run(tmp_path: Path) -> None:
    path = tmp_path / "endurance" / "W1_0,0.jsonl"
    EnduranceBook(path).charge("sot.line", 700, 0.9, 5e-9, Limits())
    with path.open("ab") as file:
        file.write(b'{"terminal": "sot.line", "pul')  # the power went
    again = EnduranceBook(path)
    assert again.life("sot.line").pulses == 700
    with pytest.raises(LimitExceeded, match=r"total pulses.*sot\.line"):
        again.charge("sot.line", 301, 0.9, 5e-9, Limits(total_pulses=1000))
    again.charge("sot.line", 300, 0.9, 5e-9, Limits(total_pulses=1000))
    assert EnduranceBook(path).life("sot.line").pulses == 1000


def test_a_logbook_that_cannot_be_written_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "endurance").write_text("a file stands where the folder should be")
    with pytest.raises(RecordError, match="nothing was sent"):
        EnduranceBook(tmp_path / "endurance" / "W1.jsonl").charge("sot.line", 1, 0.9, 5e-9, Limits())


def test_a_device_with_its_pulses_used_up_gets_no_more(small: str) -> None:
    text = small.replace('power = "2.8 mW" }', 'power = "2.8 mW", total_pulses = 5 }')
    with Bench.open(text.encode()) as bench:
        path = bench.pulse_path("sot", "line")
        path.pulse(0.5, 10e-9, 4)
        with pytest.raises(LimitExceeded, match="total pulses"):
            path.pulse(0.5, 10e-9, 2)
        assert bench._connection.connector.world.world.stress["sot.line"].pulses == 4


def test_only_real_instruments_have_a_logbook_named_by_the_sample(small: str) -> None:
    assert book_path(read_plan(small.encode())) is None
    real = small.replace('model = "2450"', 'model = "2450"\nresource = "GPIB0::18::INSTR"')
    assert (
        book_path(read_plan((real + '[sample]\nwafer = "W 12"\ndie = "3,4"\n').encode())).name
        == "W-12_3,4.jsonl"
    )
