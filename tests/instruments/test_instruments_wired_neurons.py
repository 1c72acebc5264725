"""The wired neuron array: one list sweep a device, through routes that always open again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from instruments_rigs import MeterRig

from labtrain.arrays.neurons import Flag
from labtrain.arrays.wired_neurons import WiredNeuronArray
from labtrain.errors import UsageError
from labtrain.roles import SourceMeter
from labtrain.wiring import Faults


class Routes:
    """Gives the one source meter; notes which routes are closed."""

    def __init__(self, rig: MeterRig) -> None:
        self.rig = rig
        self.taken: list[tuple[str, str]] = []
        self.closed = 0

    @contextmanager
    def __call__(self, device: str, terminal: str) -> Iterator[SourceMeter]:
        self.taken.append((device, terminal))
        self.closed += 1
        try:
            yield self.rig.meter
        finally:
            self.closed -= 1


def array(routes: Routes, count: int = 2) -> WiredNeuronArray:
    neurons = [(f"neurons[{k}]", "top", "top_pair") for k in range(count)]
    return WiredNeuronArray(
        "neurons", neurons, routes, max_amperes=40e-6, nplc=0.1, compliance=0.5, measure_range=0.5
    )


@pytest.fixture
def routes() -> Iterator[Routes]:
    rig = MeterRig()
    yield Routes(rig)
    rig.close()


def test_a_batch_is_one_list_sweep_a_device(routes: Routes) -> None:
    amperes = np.linspace(-40e-6, 40e-6, 24).reshape(12, 2)
    reading = array(routes).respond(amperes)
    assert reading.volts == pytest.approx(amperes * 10e3, abs=2e-3)
    assert reading.flags.dtype == np.uint8 and not reading.flags.any()
    assert sum(m.endswith(b":INIT\n") for m in routes.rig.heard) == 2
    assert not any(b":READ?" in m for m in routes.rig.heard)
    assert routes.taken == [("neurons[0]", "top"), ("neurons[1]", "top")] and routes.closed == 0


def test_pairs_are_read_forward_then_partner(routes: Routes) -> None:
    forward, partner = array(routes).respond_pair(np.full((3, 2), 1e-5), np.full((3, 2), 2e-5))
    assert forward.volts == pytest.approx(np.full((3, 2), 0.1), abs=2e-3)
    assert partner.volts == pytest.approx(np.full((3, 2), 0.2), abs=2e-3)
    assert [terminal for _, terminal in routes.taken] == ["top", "top", "top_pair", "top_pair"]


def test_setting_up_is_sent_once(routes: Routes) -> None:
    neurons = array(routes)
    neurons.respond(np.full((2, 2), 1e-5))
    routes.rig.heard.clear()
    neurons.respond(np.full((2, 2), 2e-5))
    assert not any(m.startswith((b":SOUR:FUNC ", b":SENS", b":SOUR:CURR:RANG ")) for m in routes.rig.heard)


def test_too_much_current_is_clipped_and_flagged(routes: Routes) -> None:
    reading = array(routes).respond(np.array([[1.0, 1e-5], [-41e-6, 0.0]]))
    assert reading.flags.tolist() == [[Flag.CLIPPED, 0], [Flag.CLIPPED, 0]]
    assert reading.volts[:, 0] == pytest.approx([0.4, -0.4], abs=2e-3)
    assert routes.rig.stress("load.top").max_amperes <= 40e-6 * 1.01


def test_a_dead_device_is_flagged_everywhere_and_is_no_error() -> None:
    rig = MeterRig(faults=Faults(dead=("load",)))
    reading = array(Routes(rig)).respond(np.full((4, 2), 2e-5))
    assert np.all(reading.flags == Flag.COMPLIANCE)
    rig.close()


@pytest.mark.parametrize("bad", [np.zeros((3, 5)), np.zeros(2), np.array([[np.nan, 0.0]])])
def test_bad_stimuli_drive_nothing(routes: Routes, bad: np.ndarray) -> None:
    with pytest.raises(UsageError):
        array(routes).respond(bad)
    assert routes.taken == [] and routes.rig.heard == []


def test_a_view_shares_counters_and_leaves_the_others_alone(routes: Routes) -> None:
    neurons = array(routes, 4)
    view = neurons.select([2, 0])
    view.respond(np.full((3, 2), 1e-5))
    assert [device for device, _ in routes.taken] == ["neurons[2]", "neurons[0]"]
    assert neurons.state_dict() == {"reads": {"neurons[2].top": 3, "neurons[0].top": 3}}
    neurons.load_state_dict({"reads": {"neurons[1].top": 7}})
    assert view.state_dict() == {"reads": {"neurons[1].top": 7}}
    assert neurons.resolution_amperes == 5e-9 or neurons.resolution_amperes == pytest.approx(5e-9)


def test_tensors_come_back_as_tensors(routes: Routes) -> None:
    torch = pytest.importorskip("torch")
    reading = array(routes).respond(torch.full((3, 2), 1e-5, dtype=torch.float64))
    assert isinstance(reading.volts, torch.Tensor) and reading.volts.dtype == torch.float64
    assert reading.flags.dtype == torch.uint8


def test_a_route_opens_when_the_sweep_fails(routes: Routes) -> None:
    routes.rig.link_port._link._handle = lambda message: None
    with pytest.raises(Exception, match="smu"):
        array(routes).respond(np.full((3, 2), 1e-5))
    assert routes.closed == 0
