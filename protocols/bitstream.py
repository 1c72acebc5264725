"""Bit streams of a superparamagnetic junction: probability against bias, memory, and randomness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.experiment.parameters import FloatParameter, IntegerParameter
from scipy import stats

from labtrain.errors import UsageError
from labtrain.procedures import DEVICE, Demand, Rows, distinct, select
from labtrain.roles.digitizer import Digitizer, Trace
from labtrain.session.sink import Column
from labtrain.twins import counts_of, fit_switching
from protocols.digitised import (
    LEARNING,
    DigitisedProcedure,
    States,
    interval_of,
    sampled_chain,
    siemens_of,
)
from protocols.randomness import p_values, unbiased

_MEMORIES = 5.0
"""Correlation times between two bits: what is left is exp(-5), 0.7 %."""

_LEARNING = 400
_READING_SECONDS = 1.5e-3


class Bitstream(DigitisedProcedure):
    """Samples a junction's state at several biases, so slowly that each bit forgets the one before.

    The interval between bits is stated, or taken as five correlation times of the slowest bias as a
    first, fast trace shows them.
    """

    NAME = "bitstream"
    PLOT = ("seconds", "amperes")
    COLUMNS = DEVICE | {
        "bias": Column("float64", "V", "programmed bias"),
        "index": Column("int64", "", "bit"),
        "seconds": Column("float64", "s", "time in the acquisition"),
        "interval": Column("float64", "s", "from one bit to the next"),
        "volts": Column("float64", "V", "voltage"),
        "amperes": Column("float64", "A", "current"),
        "bit": Column("int64", "", "1 antiparallel"),
        "flags": Column("uint8", "", "flags"),
    }
    FIT = {
        "model": "logistic",
        "models": ["logistic"],
        "map": {
            "columns": {"voltage": {"name": "bias", "unit": "V"}, "switched": {"name": "bit"}},
            "group_by": ["device", "terminal"],
            "where": {"flags": 0},
        },
    }

    bits = IntegerParameter("Bits", default=500, minimum=20, maximum=10**7, description="at each bias")
    interval = FloatParameter(
        "Interval",
        units="s",
        default=0.0,
        minimum=0.0,
        maximum=1e4,
        description="from one bit to the next; 0: five correlation times",
    )
    longest_interval = FloatParameter(
        "Longest interval",
        units="s",
        default=2.0,
        minimum=1e-6,
        maximum=1e4,
        description="refuse a slower device; what a dry run reckons with",
    )

    def plan(self) -> tuple[Demand, ...]:
        """All bits at the longest interval."""
        points = self.bits * self.biases
        learning = (_LEARNING + LEARNING) * self.biases * (self.nplc * 0.02 + _READING_SECONDS)
        seconds = points * (self.interval or self.longest_interval) + learning
        return (Demand(self.where(), self.largest, self.limit(), points, seconds=seconds),)

    def execute(self) -> None:
        """Learn states and memory, then sample every bias."""
        with self.digitizer() as digitizer:
            states = self.learn(digitizer)
            interval = self._interval(digitizer, states)
        for bias in self.shuffled(0):
            done = 0
            while done < self.bits:
                if self.interlude():
                    return
                with self.digitizer() as digitizer:
                    some = min(self.bits - done, digitizer.capacity)
                    trace = digitizer.acquire(bias, some, interval)
                    self.require_states(states, siemens_of(trace), digitizer.aperture)
                self._note(bias, done, trace, states)
                done += some

    def _interval(self, digitizer: Digitizer, states: States) -> float:
        """Return what was asked for, or five correlation times of the slowest bias."""
        if self.interval > 0:
            return float(self.interval)
        longest = 0.0
        for bias in self.levels():
            trace = digitizer.acquire(float(bias), _LEARNING)
            chain = sampled_chain([states.bits(siemens_of(trace))], interval_of(trace))
            longest = max(longest, chain["tau_c"] or 0.0)
        wanted = _MEMORIES * longest
        if not 0 < wanted <= self.longest_interval:
            raise UsageError(
                f"five correlation times of {self.device.name} are {wanted:g} s, not within"
                f" {self.longest_interval:g} s",
                remedy="state an interval, or raise longest_interval",
                key="interval",
            )
        return wanted

    def _note(self, bias: float, done: int, trace: Trace, states: States) -> None:
        bits, interval = states.bits(siemens_of(trace)), interval_of(trace)
        common = {"device": self.device.name, "terminal": self.where(), "bias": bias, "interval": interval}
        for i in range(len(bits)):
            row = {"index": done + i, "seconds": float(trace.seconds[i]), "volts": float(trace.volts[i])}
            row |= {"amperes": float(trace.amperes[i]), "bit": int(bits[i]), "flags": int(trace.flags[i])}
            self.emit("results", common | row)

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return for each device P(V), and for each bias the bits' memory and their randomness."""
        names = distinct(rows["device"])
        return {"devices": {name: _device(select(rows, device=name)) for name in names}}


def _device(rows: Rows) -> dict[str, Any]:
    counts = counts_of(rows["bias"], rows["bit"])
    biases = sorted(distinct(rows["bias"]))
    return {
        "fit": fit_switching(counts).summary() if len(counts.x) > 1 else None,
        "biases": [{"bias": bias} | _stream(select(rows, bias=bias)) for bias in biases],
    }


def _stream(rows: Rows) -> dict[str, Any]:
    bits = rows["bit"].astype(np.int64)
    fair = unbiased(bits)
    return {
        "bits": len(bits),
        "share": float(bits.mean()),
        "interval": float(np.median(rows["interval"])),
        "memory_probability": _independence(bits),
        "fair_bits": len(fair),
        "p_values": p_values(fair),
    }


def _independence(bits: np.ndarray[Any, np.dtype[np.int64]]) -> float | None:
    """Probability of a change from bit to bit this dependent, if bits were independent; any bias.

    Fisher's exact test of the two-by-two table of neighbours.
    """
    if bits.min() == bits.max():
        return None
    table = np.zeros((2, 2), dtype=np.int64)
    np.add.at(table, (bits[:-1], bits[1:]), 1)
    return float(stats.fisher_exact(table)[1])
