"""What a record says that devices were, beside what they are now, in standard deviations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from labtrain.session import Recording

_READINGS_OF_A_CHECK = 2  # one at each polarity, unless somebody asked for more
_CHECK_NPLC = 1.0
_REPRODUCIBLE = 1e-3
"""What a gain, a range or a contact may change between two readings, whatever the scatter of one of them:
0.1 %, the one-year accuracy of source meters on their resistance ranges (2450 data sheet: 0.05 to 0.2 %)."""
_OHMS = ("ohm_after", "ohm")
"""Columns of a resistance that a protocol has left its device with."""
_SIEMENS = ("siemens",)
"""Columns of a conductance, likewise."""


@dataclass(frozen=True, slots=True)
class Known:
    """A terminal's last recorded resistance in ohm, and how well it was read.

    Attributes
    ----------
    seq
        Where in the record.
    periods
        Power line cycles that all readings of it took together.
    """

    ohm: float
    seq: int
    periods: float


@dataclass(frozen=True, slots=True)
class State:
    """A terminal then and now; ``sigma`` is the standard deviation of the difference, in ohm."""

    where: str
    then: float
    now: float
    sigma: float

    @property
    def apart(self) -> float:
        """How many standard deviations it has moved; open circuits agree with one another only."""
        if math.isinf(self.then) or math.isinf(self.now):
            return 0.0 if self.then == self.now else math.inf
        return abs(self.now - self.then) / self.sigma


def last_known(recording: Recording) -> dict[str, Known]:
    """Return the last resistance of every terminal in a record: of contact checks and of protocols' rows."""
    known: dict[str, Known] = {}
    for name in recording.document_names():
        if name.startswith("contacts/"):
            ohm, seq = recording.document(name)["ohm"], recording.document_seqs(name)[-1]
            periods = _READINGS_OF_A_CHECK * _CHECK_NPLC
            known[name.removeprefix("contacts/")] = Known(math.inf if ohm is None else ohm, seq, periods)
    for name in recording.stream_names():
        for device, terminal, found in _rows_left(recording, name):
            where = _read_at(known, device, terminal)
            if where is not None and found.seq >= known[where].seq:
                known[where] = found
    return known


def _read_at(known: Mapping[str, Known], device: str, terminal: str) -> str | None:
    """Return the terminal at which a row's resistance was read; rows may name the one that was pulsed."""
    if f"{device}.{terminal}" in known:
        return f"{device}.{terminal}"
    own = [where for where in known if where.rpartition(".")[0] == device]
    return own[0] if len(own) == 1 else None


def _rows_left(recording: Recording, stream: str) -> Iterator[tuple[str, str, Known]]:
    """Yield the device, the terminal and the resistance of every row of a stream that has one."""
    rows = recording.rows(stream)
    column = next((name for name in (*_OHMS, *_SIEMENS) if name in rows.columns), None)
    if column is None or "device" not in rows.columns:
        return
    values = rows.columns[column]
    ohms = values if column in _OHMS else _inverse(values)
    terminals = rows.columns.get("terminal", [""] * len(rows))
    periods = float(rows.attributes.get("parameters", {}).get("nplc", _CHECK_NPLC))
    first, last = recording.stream_span(stream)
    seqs = np.linspace(first, last, len(rows))  # rows in order, as well as the record needs to be known here
    for row in zip(rows.columns["device"], terminals, ohms, seqs, strict=True):
        device, terminal, ohm, seq = row
        if math.isfinite(ohm):
            yield device, terminal, Known(float(ohm), int(seq), periods)


def _inverse(siemens: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.divide(1.0, siemens, where=siemens != 0, out=np.full_like(siemens, np.inf)))


def compare(known: Mapping[str, Known], rows: Mapping[str, NDArray[Any]], nplc: float) -> dict[str, State]:
    """Compare with the rows of a contact check made now.

    Parameters
    ----------
    nplc
        Its aperture in power line cycles.
    """
    states = {}
    for where, then in known.items():
        device, _, terminal = where.rpartition(".")
        mine = (rows["device"] == device) & (rows["terminal"] == terminal)
        if mine.any():
            now, scatter = resistance(rows["volts"][mine], rows["amperes"][mine])
            share = mine.sum() * nplc / then.periods  # white noise: the longer, the better
            sigma = math.hypot(scatter * math.sqrt(1 + share), _REPRODUCIBLE * min(now, then.ohm))
            states[where] = State(where, then.ohm, now, sigma)
    return states


def devices_of_steps(recording: Recording) -> list[str]:
    """Return the devices that a record's protocols were to measure, whether or not they came to them."""
    from labtrain.bench import read_plan, select_devices

    if recording.bench_file is None:
        return []
    plan = read_plan(recording.bench_file)
    asked = [step["device"] for step in recording.start.get("steps", []) if step["kind"] == "protocol"]
    return [device.name for text in asked if text for device in select_devices(plan, text)]


def unknown_before(known: Mapping[str, Known], rows: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """Return the terminals of a contact check made now that a record knows nothing of, in ohm."""
    if not rows:
        return {}
    read = dict.fromkeys(zip(rows["device"].tolist(), rows["terminal"].tolist(), strict=True))
    found = {}
    for device, terminal in read:
        if f"{device}.{terminal}" not in known:
            mine = (rows["device"] == device) & (rows["terminal"] == terminal)
            found[f"{device}.{terminal}"] = resistance(rows["volts"][mine], rows["amperes"][mine])[0]
    return found


def resistance(volts: NDArray[Any], amperes: NDArray[Any]) -> tuple[float, float]:
    """Return dV/dI of readings at both polarities and its standard deviation, in ohm."""
    from labtrain.bench import slope_ohm

    ohm = slope_ohm(volts, amperes)
    if math.isinf(ohm) or len(volts) < 3:
        return ohm, 0.0
    v, i = volts - volts.mean(), amperes - amperes.mean()
    noise = float(np.sum((i - v / ohm) ** 2)) / (len(volts) - 2)
    return ohm, ohm**2 * math.sqrt(noise / float(v @ v))
