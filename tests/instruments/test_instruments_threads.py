"""Eight threads on one instrument over TCP, each with questions of its own: nobody gets another's answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from instruments_meters import METERS, Meter
from instruments_rigs import MatrixRig, MeterRig, PulserRig
from instruments_stages import Stage

from labtrain.roles import OpenGate

THREADS = 8
Ask = tuple[Callable[[], Any], Callable[[Any], bool]]


def close_to(value: float, tolerance: float = 1e-6) -> Callable[[Any], bool]:
    return lambda answer: abs(answer - value) <= tolerance * abs(value)


def of_a_meter(facts: Meter) -> tuple[MeterRig, list[Ask]]:
    """Settings whose values all differ, and readings that must obey Ohm."""
    rig = MeterRig(stage=Stage("tcp"), facts=facts)
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.1)
    rig.meter.output_enabled = True
    rig.meter.source_voltage = 0.3
    instrument, fixed = rig.instrument, {}
    for name in ("source_voltage_range", "current_range", "compliance_current", "current_nplc"):
        fixed[name] = getattr(instrument, name)
    identity = rig.meter.identity
    asks: list[Ask] = [
        (lambda name=name: getattr(instrument, name), close_to(value)) for name, value in fixed.items()
    ]
    asks += [(lambda: instrument.identity, lambda answer: str(answer).strip() == identity.strip())]
    asks += [(lambda: instrument.source_voltage, close_to(0.3))]
    asks += [(lambda: instrument.source_mode, lambda answer: answer == "voltage")]
    asks += [(rig.meter.measure, lambda r: abs(r.volts - 0.3) < 3e-3 and abs(r.amperes - 3e-5) < 3e-7)]
    return rig, asks


def of_a_pulser(model: str) -> tuple[PulserRig, list[Ask]]:
    rig = PulserRig(model, stage=Stage("tcp"))
    first, second = rig.pulser, rig.second
    first.arm(0.2, 1e-7, 3)
    second.arm(0.1, 2e-7, 5)
    asks: list[Ask] = []
    for role, width, count in ((first, 1e-7, 3), (second, 2e-7, 5)):
        asks.append(
            (lambda role=role: role.settings, lambda got, w=width, n=count: got.width == w and got.count == n)
        )
        asks.append((lambda role=role: role.identity, lambda answer: model in answer))
    return rig, asks * 2


def of_a_matrix(model: str) -> tuple[MatrixRig, list[Ask]]:
    mount = "serial" if model == "serial-matrix" else "tcp"
    rig = MatrixRig(OpenGate(), model, Stage(mount))
    place = rig.place(1, 2)
    rig.matrix.connect_only(place)
    asks: list[Ask] = [
        (rig.matrix.check, lambda nothing: nothing is None),
        (lambda: rig.matrix.identity, lambda answer: len(answer) > 5 and "," in answer),
    ]
    return rig, asks * 4


def wrong_answers(asks: list[Ask], count: int) -> list[Any]:
    """Let each thread ask its own question so many times; what came that should not have."""
    wrong: list[Any] = []
    start = threading.Barrier(THREADS)

    def work(ask: Callable[[], Any], right: Callable[[Any], bool]) -> None:
        start.wait()
        for _ in range(count):
            try:
                answer = ask()
            except Exception as error:  # whatever it is, it is no right answer
                wrong.append(error)
                return
            if not right(answer):
                wrong.append(answer)

    crowd = [threading.Thread(target=work, args=asks[k % len(asks)]) for k in range(THREADS)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return wrong


@pytest.mark.parametrize("facts", METERS, ids=str)
def test_eight_threads_on_a_source_meter(facts: Meter) -> None:
    rig, asks = of_a_meter(facts)
    assert wrong_answers(asks, 200) == []
    rig.close()


@pytest.mark.parametrize("model", ["33522B", "81160A"])
def test_eight_threads_on_a_pulse_generator(model: str) -> None:
    rig, asks = of_a_pulser(model)
    assert wrong_answers(asks, 25) == []
    rig.close()


@pytest.mark.parametrize("model", ["2700", "707B", "serial-matrix"])
def test_eight_threads_on_a_matrix(model: str) -> None:
    rig, asks = of_a_matrix(model)
    assert wrong_answers(asks, 50) == []
    rig.close()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_eight_threads_with_ten_thousand_transactions_each() -> None:
    rig, asks = of_a_meter(METERS[0])
    rig.heard.clear()
    assert wrong_answers(asks, 10_000) == []
    assert len(rig.heard) >= THREADS * 10_000
    rig.close()
