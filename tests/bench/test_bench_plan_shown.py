"""What a protocol would do is shown before it does it: with the budget of the chip's logbook."""

from __future__ import annotations

from pathlib import Path

import pytest

from labtrain.bench.endurance import EnduranceBook, book_path
from labtrain.bench.planning import read_plan
from labtrain.cli.planning import plan_protocol
from labtrain.errors import LimitExceeded


@pytest.fixture
def real(small: str, tmp_path: Path) -> Path:
    """A bench at real addresses; nothing is opened here."""
    text = small.replace('power = "2.8 mW" }', 'power = "2.8 mW", total_pulses = "5000" }')
    text = text.replace('model = "2450"', 'model = "2450"\nresource = "TCPIP0::192.0.2.1::5025::SOCKET"')
    file = tmp_path / "real.toml"
    file.write_text(text + '\n[sample]\nwafer = "W12"\n')
    return file


def test_energy_dwell_and_the_logbooks_pulses(real: Path) -> None:
    plan = read_plan(real)
    limits = plan.device("sot").terminals["line"].limits
    EnduranceBook(book_path(plan)).charge("sot.line", 120, 0.5, 2e-8, limits)
    shown = plan_protocol("switching-probability", real, "sot", {})
    figures = shown.fields["plan"]
    assert figures["budget"]["sot.line"] == {"pulses": figures["pulses"], "before": 120, "total": 5000}
    assert 0 < figures["pulse_energy"] < 1e-9
    assert 0 < figures["seconds_a_device"] <= figures["seconds"]
    assert f"sot.line: {figures['pulses']} pulses, 120 before, of 5000 in its life" in shown.text
    assert shown.real


def test_more_than_the_device_has_left_is_refused_before_anything_is_sent(real: Path) -> None:
    plan = read_plan(real)
    EnduranceBook(book_path(plan)).charge(
        "sot.line", 4990, 0.5, 2e-8, plan.device("sot").terminals["line"].limits
    )
    with pytest.raises(LimitExceeded, match="total pulses") as caught:
        plan_protocol("switching-probability", real, "sot", {})
    assert caught.value.exit_code == 4


def test_many_devices_are_told_shortly(small: str, tmp_path: Path) -> None:
    file = tmp_path / "many.toml"
    file.write_text(small)
    shown = plan_protocol("iv-curve", file, "neurons", {})
    assert shown.fields["plan"]["budget"] == {} and "budget: no pulses" in shown.text
