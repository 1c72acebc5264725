"""Whether the bench still measures what it measured: read between the measurements of a long run.

A run planned for more than 10 minutes begins with a check of the bench's reference resistor, a short and
each device's own resistance at low bias, repeats it now and then, and ends with one. A change beyond three
standard deviations is flagged (Student's distribution: 0.27 % false alarms, whatever the number of
readings); one beyond the run's limit ends the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Self, final

import numpy as np
from scipy import stats

from labtrain.procedures.demand import Demand
from labtrain.procedures.procedure import DeviceProcedure
from labtrain.procedures.witnesses import READINGS, Witness, witnesses
from labtrain.session.sink import Column, RowStream, Sink
from labtrain.wiring import DevicePlan

if TYPE_CHECKING:
    from labtrain.bench import Bench

LONG_SECONDS = 600.0
"""Runs planned for longer than this are watched."""

_FALSE_ALARMS = 2 * float(stats.norm.sf(3.0))

DRIFT = {
    "device": Column("str", "", "device"),
    "terminal": Column("str", "", "terminal"),
    "kind": Column("str", "", "reference, short or device"),
    "seconds": Column("float64", "s", "time since the first check"),
    "ohm": Column("float64", "ohm", "resistance"),
    "sigma": Column("float64", "ohm", "standard deviation of a check"),
    "change": Column("float64", "ohm", "change since the first check"),
    "judged": Column("bool", "", "a change would be drift"),
    "flagged": Column("bool", "", "changed beyond three standard deviations"),
}
"""The columns of the stream ``runs/<run>/drift``."""


@final
class DriftWatch:
    """Reads the witnesses of a long run; does nothing in a short one.

    Attributes
    ----------
    moved
        What has moved beyond the limit, in words; empty as long as nothing has.

    Parameters
    ----------
    rows
        The stream ``drift``; None where nothing is watched.
    period
        Seconds from one check to the next.
    limit
        Relative change that ends the run.
    """

    def __init__(
        self, bench: Bench, watched: Sequence[Witness], rows: RowStream | None, period: float, limit: float
    ) -> None:
        self._bench, self._watched, self._rows = bench, watched, rows
        self._period, self._limit = period, limit
        self._began = self._last = 0
        self.moved = ""

    @classmethod
    def of(
        cls,
        procedure: DeviceProcedure,
        bench: Bench,
        devices: Sequence[DevicePlan],
        demands: Sequence[Demand],
        sink: Sink,
        run_name: str,
    ) -> Self:
        """Watch a run if it is planned for long."""
        period, limit = procedure.drift_period, procedure.drift_limit
        if sum(demand.seconds for demand in demands) <= LONG_SECONDS:
            return cls(bench, (), None, period, limit)
        watched = witnesses(bench.plan, devices, procedure.sources)
        rows = sink.stream(f"runs/{run_name}/drift", DRIFT, {"period": period, "limit": limit})
        return cls(bench, watched, rows, period, limit)

    def begin(self) -> None:
        """Take the first check, which the others are compared with."""
        if self._rows is not None:
            self._began = self._bench.clock.now_ns()
            self._check()

    def between(self) -> None:
        """Check if it is due; no route may be open."""
        if self._rows is not None and self._bench.clock.now_ns() - self._last >= self._period * 1e9:
            self._check()

    def end(self) -> None:
        """Take the last check."""
        if self._rows is not None and not self.moved:
            self._check()

    def _check(self) -> None:
        for witness in self._watched:
            witness.read(self._bench)
            self._note(witness)
            if witness.judged and not abs(witness.change) <= self._limit * self._scale(witness):
                self.moved = self.moved or (
                    f"{witness.name} went from {witness.means[0]:.6g} to {witness.means[-1]:.6g} ohm"
                    f" (limit {100 * self._limit:g} %)"
                )
        self._last = self._bench.clock.now_ns()

    def _scale(self, witness: Witness) -> float:
        """Its own resistance; a short moves all others, so it is compared with the least of them."""
        others = [abs(one.means[0]) for one in self._watched if one.kind != "short" and one.means]
        return min(others) if witness.kind == "short" and others else abs(witness.means[0])

    def _note(self, witness: Witness) -> None:
        assert self._rows is not None
        self._rows.append(
            {
                "device": witness.device.name,
                "terminal": witness.terminal.name,
                "kind": witness.kind,
                "seconds": (self._bench.clock.now_ns() - self._began) * 1e-9,
                "ohm": witness.means[-1],
                "sigma": witness.sigma,
                "change": witness.change,
                "judged": witness.judged,
                "flagged": witness.judged and beyond_three_sigma(witness),
            }
        )


def beyond_three_sigma(witness: Witness) -> bool:
    """Whether the last check differs from the first by more than chance does in 99.73 % of checks."""
    freedom = len(witness.means) * (READINGS - 1)
    return not abs(witness.change) <= _quantile(freedom) * witness.sigma * float(np.sqrt(2.0))


@lru_cache
def _quantile(freedom: int) -> float:
    return float(stats.t.isf(_FALSE_ALARMS / 2, freedom))
