"""Telegraph noise: dwell times, duty cycle and autocorrelation of a flipping junction against its bias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.experiment.parameters import FloatParameter, IntegerParameter

from labtrain.procedures import DEVICE, Demand, Rows, distinct, select
from labtrain.roles.digitizer import Trace
from labtrain.session.sink import Column
from protocols.digitised import (
    LEARNING,
    DigitisedProcedure,
    States,
    interval_of,
    sampled_chain,
    siemens_of,
)

_READING_SECONDS = 1.5e-3
_LAGS = 5


class TelegraphNoise(DigitisedProcedure):
    """Reads a superparamagnetic junction as fast as its source meter can, at several biases.

    Biases take turns in random order, block by block, so that drift of the switching field is not taken
    for a voltage dependence. Dwell times never run across two blocks.
    """

    NAME = "telegraph-noise"
    PLOT = ("seconds", "amperes")
    COLUMNS = DEVICE | {
        "bias": Column("float64", "V", "programmed bias"),
        "block": Column("int64", "", "block"),
        "seconds": Column("float64", "s", "time in the block"),
        "interval": Column("float64", "s", "from one reading to the next"),
        "aperture": Column("float64", "s", "aperture of a reading"),
        "volts": Column("float64", "V", "voltage"),
        "amperes": Column("float64", "A", "current"),
        "antiparallel": Column("int64", "", "1 AP, 0 P"),
        "flags": Column("uint8", "", "flags"),
    }
    FIT = {
        "model": "two-state-telegraph",
        "models": ["two-state-telegraph"],
        "map": {
            "columns": {
                "voltage": {"name": "bias", "unit": "V"},
                "state": {"name": "antiparallel"},
                "interval": {"name": "interval", "unit": "s"},
            },
            "group_by": ["device", "terminal"],
            "where": {"flags": 0},
        },
    }

    samples = IntegerParameter(
        "Readings", default=500, minimum=10, maximum=60_000, description="at each bias in each block"
    )
    blocks = IntegerParameter("Blocks", default=4, minimum=1, maximum=100_000, description="of each bias")
    interval = FloatParameter(
        "Interval",
        units="s",
        default=0.0,
        minimum=0.0,
        maximum=1e3,
        description="from one reading to the next; 0: as fast as the instrument can",
    )

    def plan(self) -> tuple[Demand, ...]:
        """All biases, all blocks."""
        points = self.samples * self.blocks * self.biases
        each = max(self.interval, self.nplc * 0.02 + _READING_SECONDS)
        seconds = (points + LEARNING * self.biases) * each
        return (Demand(self.where(), self.largest, self.limit(), points, seconds=seconds),)

    def execute(self) -> None:
        """Learn the states, then go through the biases block by block."""
        with self.digitizer() as digitizer:
            states = self.learn(digitizer)
        for block in range(self.blocks):
            if self.interlude():
                return
            with self.digitizer() as digitizer:
                for bias in self.shuffled(block):
                    if self.should_stop():
                        return
                    trace = digitizer.acquire(bias, self.samples, self.interval)
                    self.require_states(states, siemens_of(trace), digitizer.aperture)
                    self._note(bias, block, trace, states, digitizer.aperture)

    def _note(self, bias: float, block: int, trace: Trace, states: States, aperture: float) -> None:
        bits, interval = states.bits(siemens_of(trace)), interval_of(trace)
        common = {"device": self.device.name, "terminal": self.where(), "bias": bias, "block": block}
        common |= {"interval": interval, "aperture": aperture}
        for i in range(len(bits)):
            row = {"seconds": float(trace.seconds[i]), "volts": float(trace.volts[i])}
            row |= {"amperes": float(trace.amperes[i]), "antiparallel": int(bits[i])}
            self.emit("results", common | row | {"flags": int(trace.flags[i])})

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return for each device and bias dwell times, duty cycle and autocorrelation."""
        names = distinct(rows["device"])
        return {"devices": {name: _device(select(rows, device=name)) for name in names}}


def _device(rows: Rows) -> list[dict[str, Any]]:
    return [{"bias": bias} | _bias(select(rows, bias=bias)) for bias in sorted(distinct(rows["bias"]))]


def _bias(rows: Rows) -> dict[str, Any]:
    traces = [select(rows, block=block)["antiparallel"] for block in distinct(rows["block"])]
    interval = float(np.median(rows["interval"]))
    found = sampled_chain(traces, interval)
    return found | {"interval": interval, "autocorrelation": _autocorrelation(traces)}


def _autocorrelation(traces: list[Any]) -> list[float] | None:
    """Of the state at the first few lags; None where it never changed."""
    mean = float(np.mean(np.concatenate(traces)))
    variance = mean * (1 - mean)
    if variance == 0:
        return None
    lags = range(1, _LAGS + 1)
    products = ([(t[:-lag] - mean) * (t[lag:] - mean) for t in traces if len(t) > lag] for lag in lags)
    return [float(np.mean(np.concatenate(one)) / variance) for one in products]
