"""The models of memristor sweeps: parameters, starts and kernels of VTEAM and Yakopcic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from labtrain.kernels import memristor_sweeps as kernels
from labtrain.twins.fit import Floats
from labtrain.twins.profile import Parameter

VTEAM, YAKOPCIC = "vteam", "yakopcic"
_EXPONENTS = (1.0, 2.0, 3.0, 4.0, 6.0)
_WAYS = ("polarity", "eta")

Start = dict[str, float]


@dataclass(frozen=True, slots=True)
class Sweep:
    """Readings ``[m]`` in order of time; ``begins`` is 1 where a sweep starts from the same state.

    ``floor`` is the current in A below which readings scatter equally, above it in proportion.
    """

    volts: Floats
    amperes: Floats
    seconds: Floats
    begins: Floats
    floor: float


@dataclass(frozen=True, slots=True)
class SweepModel:
    """A model of sweeps: parameters that are fitted, those held, its kernel and its starts.

    ``more`` are fitted as well where the others alone do not describe the data; what is then below its size
    in ``nothing`` is held at 0.
    """

    name: str
    parameters: tuple[Parameter, ...]
    constants: Mapping[str, tuple[float, str]]
    sweep: Callable[[Mapping[str, float], Floats, Floats, Floats], Floats]
    starts: Callable[[Sweep], Sequence[Start]]
    may_vanish: tuple[str, ...] = ()
    choices: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    more: tuple[Parameter, ...] = ()
    nothing: Mapping[str, float] = field(default_factory=dict)
    more_starts: Callable[[Start], Sequence[Start]] = lambda best: ()

    def constants_for(self, data: Sweep) -> dict[str, float]:
        """Return the held parameters; ``polarity`` or ``eta`` by the way the device is connected."""
        return {
            name: value * (_sets(data) if name in _WAYS else 1) for name, (value, _) in self.constants.items()
        }


def _split(data: Sweep, sign: float) -> tuple[float, float, float]:
    """Return of one polarity: largest voltage, its time in total, and the e-folds of current a volt."""
    size = sign * data.volts
    top = float(size.max())
    steps = np.diff(data.seconds, append=data.seconds[-1])
    time = float(np.sum(steps[(size > 0) & (steps > 0)]))
    middle = (size > 0.15 * top) & (size < 0.5 * top) & (np.abs(data.amperes) > 3 * data.floor)
    if middle.sum() < 4:
        return top, time, 3 / top
    slope = float(np.polyfit(size[middle], np.log(np.abs(data.amperes[middle])), 1)[0])
    return top, time, float(np.clip(slope, 1 / top, 60 / top))


def _vteam_starts(data: Sweep) -> list[Start]:
    way = -_sets(data)
    up, up_time, _ = _split(data, way)
    down, down_time, _ = _split(data, -way)
    size = np.abs(data.volts)
    use = (size > 0.1 * size.max()) & (np.abs(data.amperes) > 0)
    ohms = np.abs(data.volts[use] / data.amperes[use])
    low, high = np.quantile(ohms, 0.03), np.quantile(ohms, 0.97)
    first = float(np.clip((ohms[0] - low) / max(high - low, 1e-12), 0.05, 0.95))
    starts = []
    for share in (0.3, 0.5, 0.7):
        for travel in (1.0, 4.0):
            gain_up = (1 / share - 1) ** 3 * up_time * (1 - share) / 6
            gain_down = (1 / share - 1) ** 3 * down_time * (1 - share) / 6
            starts.append(
                {"r_on": low, "r_off": high, "v_off": share * up, "v_on": -share * down}
                | {"k_off": travel / gain_up, "k_on": -travel / gain_down, "x0": first}
            )
    return starts


def _yakopcic_starts(data: Sweep) -> list[Start]:
    up, up_time, b = _split(data, 1.0)
    down, down_time, b2 = _split(data, -1.0)
    top = float(np.abs(data.amperes).max())
    starts = []
    for share in (0.3, 0.6):
        for low in (0.02, 0.2):
            for series in (0.02, 0.5):
                start = {"b": b, "b2": b2, "x0": low, "r_series": series * min(up, down) / top}
                for sign, own, exponent, name in ((1.0, up, b, "a1"), (-1.0, down, b2, "a2")):
                    place = int(np.argmin(np.abs(sign * data.volts - 0.4 * own)))
                    start[name] = abs(data.amperes[place]) / (0.5 * np.sinh(exponent * 0.4 * own))
                    start[name] = max(start[name], 1e-18)
                start |= {"v_p": share * up, "v_n": share * down}
                start["a_p"] = 3 / ((np.exp(up) - np.exp(share * up)) * up_time * (1 - share))
                start["a_n"] = 3 / ((np.exp(down) - np.exp(share * down)) * down_time * (1 - share))
                starts.append(start)
    return starts


def _yakopcic_off_starts(best: Start) -> list[Start]:
    """Begin at a little current past the part that has not switched."""
    return [
        {
            "off1": share * best["a1"],
            "off2": share * best["a2"],
            "b_off": steep * best["b"],
            "b_off2": steep * best["b2"],
        }
        for share, steep in ((0.05, 0.7), (0.01, 1.0))
    ]


def _positive(name: str, unit: str, sign: float = 1.0) -> Parameter:
    return Parameter(name, unit, scale=sign, positive=True)


def _vteam_current(values: Mapping[str, float], volts: Floats, seconds: Floats, begins: Floats) -> Floats:
    way = values["polarity"]
    return way * kernels.vteam_sweep(values, way * volts, seconds, begins)


def _sets(data: Sweep) -> float:
    """Return 1 where positive volts raise the conductance, -1 where negative ones do."""
    top = float(data.volts.max())
    beyond = int(np.argmax(data.volts))
    inside = (data.volts > 0.15 * top) & (data.volts < 0.5 * top)
    place = np.arange(len(data.volts))
    before, after = inside & (place < beyond), inside & (place > beyond)
    if not before.any() or not after.any():
        return 1.0
    log = np.log(np.abs(data.amperes) + data.floor)
    return 1.0 if log[after].mean() >= log[before].mean() else -1.0


SWEEP_MODELS = {
    VTEAM: SweepModel(
        VTEAM,
        (
            _positive("r_on", "ohm"),
            _positive("r_off", "ohm"),
            _positive("v_on", "V", -1.0),
            _positive("v_off", "V"),
            _positive("k_on", "1/s", -1.0),
            _positive("k_off", "1/s"),
            Parameter("x0", "", scale=0.1),
        ),
        {"polarity": (-1.0, ""), "a_on": (3.0, ""), "a_off": (3.0, "")},
        _vteam_current,
        _vteam_starts,
        choices={"a_on": _EXPONENTS, "a_off": _EXPONENTS},
    ),
    YAKOPCIC: SweepModel(
        YAKOPCIC,
        (
            _positive("a1", "A"),
            _positive("a2", "A"),
            _positive("b", "1/V"),
            _positive("b2", "1/V"),
            _positive("a_p", "1/s"),
            _positive("a_n", "1/s"),
            _positive("v_p", "V"),
            _positive("v_n", "V"),
            _positive("r_series", "ohm"),
            _positive("x0", ""),
        ),
        {
            "x_p": (0.3, ""),
            "x_n": (0.5, ""),
            "alpha_p": (1.0, ""),
            "alpha_n": (1.0, ""),
            "eta": (1.0, ""),
        },
        kernels.yakopcic_sweep,
        _yakopcic_starts,
        may_vanish=("r_series",),
        more=(
            _positive("off1", "A"),
            _positive("off2", "A"),
            _positive("b_off", "1/V"),
            _positive("b_off2", "1/V"),
        ),
        nothing={"r_series": 1e-3, "x0": 1e-4, "v_p": 1e-3, "v_n": 1e-3, "off1": 1e-16, "off2": 1e-16},
        more_starts=_yakopcic_off_starts,
    ),
}
"""By name.

Yakopcic's windows are held; VTEAM's exponents are 3, or the whole number that fits clearly better: a sweep
hardly tells either from the rates and thresholds.
"""
