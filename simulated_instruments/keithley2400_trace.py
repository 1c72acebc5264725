"""What a Keithley 2400 answers with: points of up to five elements, its trace buffer, its statistics."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from simulated_instruments.reading_buffer import SOURCE_LIMITED
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Choice
from simulated_instruments.smu_accuracy import OVERFLOW, Floats
from simulated_instruments.smu_points import Points

NAN: Final = 9.91e37
ELEMENTS: Final = ("VOLT", "CURR", "RES", "TIME", "STAT")
"""Always answered in this order, in whatever order they are asked for (manual, 18-59)."""

CAPACITY: Final = 2500
_ELEMENT = Choice("VOLTage", "CURRent", "RESistance", "TIME", "STATus")


def read_elements(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Read the list of ``:FORMat:ELEMents``."""
    if not arguments:
        raise ScpiError(-109)
    wanted = {_ELEMENT.read(argument) for argument in arguments}
    return tuple(name for name in ELEMENTS if name in wanted)


def rows_of(points: Points, function: str, measured: frozenset[str]) -> Floats:
    """Return ``[points, 5]`` elements: what is sourced but not measured is the programmed level."""
    count = len(points.levels)
    values = {"VOLT": points.volts, "CURR": points.amperes}
    for name in ("VOLT", "CURR"):
        if name not in measured:
            values[name] = points.levels if name == function else np.full(count, NAN)
    still = points.amperes == 0.0
    ohms = np.where(still, OVERFLOW, points.volts / np.where(still, 1.0, points.amperes))
    columns = (
        values["VOLT"],
        values["CURR"],
        ohms if "RES" in measured else np.full(count, NAN),
        points.times_ns * 1e-9,
        np.where(points.limited, SOURCE_LIMITED, 0.0),
    )
    return np.stack(columns, axis=1)


class Trace:
    """The trace buffer; also where a sweep's points go before they are asked for.

    Attributes
    ----------
    points
        How many it takes, 1 to 2500.
    feeding
        Whether readings are stored (``:TRACe:FEED:CONTrol NEXT``); ends when it is full.
    """

    def __init__(self) -> None:
        self.points = 100
        self.feeding = False
        self._blocks: list[Floats] = []

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    @property
    def full(self) -> bool:
        """Whether no more readings fit."""
        return len(self) >= self.points

    def clear(self) -> None:
        """Forget all."""
        self._blocks = []

    def store(self, rows: Floats) -> None:
        """Store rows while it is fed and there is room."""
        room = self.points - len(self)
        if self.feeding and room > 0:
            self._blocks.append(rows[:room])
        if self.full:
            self.feeding = False

    def rows(self) -> Floats:
        """Return ``[stored, 5]``."""
        return np.concatenate([np.empty((0, len(ELEMENTS))), *self._blocks])


def written(instrument: Any, rows: Floats) -> Any:
    """Write rows as ``:FORMat`` has them: text, or an IEEE block of single precision."""
    flat = rows[:, [ELEMENTS.index(name) for name in instrument.elements]].ravel()
    if instrument.format == "ASC":
        return ",".join(["%+.6E"] * len(flat)) % tuple(flat.tolist())
    order = "<" if instrument.byte_order == "SWAP" else ">"
    data = flat.astype(f"{order}f4").tobytes()
    return b"#0" + data


_STATISTICS: Final = {"MEAN": np.mean, "SDEV": np.std, "MAX": np.max, "MIN": np.min, "PKPK": np.ptp}


def statistic(instrument: Any) -> str:
    """Answer ``:CALCulate3:DATA?``: the chosen statistic of volts, amperes and ohms in the buffer."""
    rows = instrument.trace.rows()
    if not len(rows):
        raise ScpiError(-230, "the trace buffer is empty")
    return ",".join(f"{float(_STATISTICS[instrument.statistic](rows[:, k])):+.6E}" for k in range(3))
