"""I-V sweeps of memristors: VTEAM and Yakopcic, hysteresis and all.

Currents span decades and scatter in proportion: they are compared on the scale ``asinh(I/floor)``, which
is logarithmic above the instrument's floor and linear below it, where a sign is noise. The state is followed
along the sweep from where it began; voltages and times are those recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

from labtrain.errors import DataError
from labtrain.kernels import memristor_sweeps as kernels
from labtrain.twins.conclusion import conclude, held, span
from labtrain.twins.fit import SIGNIFICANCE, Fit, Floats, Points, TooFewData
from labtrain.twins.lack_of_fit import lack_of_fit
from labtrain.twins.least_squares import LeastSquares
from labtrain.twins.profile import Parameter

VTEAM, YAKOPCIC = "vteam", "yakopcic"
_FEWEST = 40
_FLOOR_SHARE = 0.03

_WORTH = float(stats.chi2.ppf(0.999, 1))
"""How much another held value must lower chi-square."""
_WORTH_MORE = 0.2
"""Share of the squares that further parameters must take off."""
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


def sweeps(volts: Floats, amperes: Floats, seconds: Floats) -> Sweep:
    """Gather readings; where time runs backwards the next sweep begins.

    Raises
    ------
    TooFewData, DataError
        For fewer than 40 readings or one polarity only; for numbers that are not finite.
    """
    columns = [np.ascontiguousarray(a, dtype=np.float64) for a in (volts, amperes, seconds)]
    if not all(np.isfinite(a).all() for a in columns):
        raise DataError("a sweep has readings that are not finite", remedy="leave flagged readings out")
    volts, amperes, seconds = columns
    if not both_ways(volts):
        raise TooFewData(
            f"a switching curve needs {_FEWEST} readings and both polarities", remedy="sweep both ways"
        )
    size = np.abs(volts)
    near = np.abs(amperes[size <= _FLOOR_SHARE * size.max()])
    floor = max(float(np.median(near)) if len(near) else 0.0, 1e-9 * float(np.abs(amperes).max()))
    return Sweep(
        volts, amperes, seconds, np.r_[1.0, np.diff(seconds) < 0].astype(np.float64), max(floor, 1e-300)
    )


def both_ways(volts: Floats) -> bool:
    """Whether readings are enough, and of both polarities, to be a memristor's sweep."""
    return len(volts) >= _FEWEST and bool(volts.min() < 0 < volts.max())


def fit_sweeps(data: Sweep, model: SweepModel) -> Fit:
    """Fit a model's parameters, and the state that every sweep begins from.

    Returns
    -------
    Fit
        95 % profile intervals; ``chi2_reduced`` and the verdict from the order of residuals along the
        sweep: neighbours on one side of the curve are its miss. The other model of sweeps is named where it
        comes closer.
    """
    model, problem, best = _fitted(data, model)
    data = replace(data, floor=_floor(data, _current(data, model, problem.values(best))))
    problem = _problem(data, model)
    best = problem.minimise(best)
    other = next(m for m in SWEEP_MODELS.values() if m.name != model.name)
    ratio, probability = _judged(data, problem, best)
    if probability < SIGNIFICANCE and model.more:
        model, problem, best = _with_more(data, model, problem, best)
        ratio, probability = _judged(data, problem, best)
    better = None
    if probability < SIGNIFICANCE:
        _, rival, place = _fitted(data, other)
        better = other.name if rival.squares(place) < problem.squares(best) else None
    current = _current(data, model, problem.values(best))
    sigma = np.sqrt(problem.variance(best)) * np.hypot(current, data.floor)
    return conclude(
        model.name,
        problem,
        best,
        ratio=ratio,
        probability=probability,
        points=Points(data.volts, data.amperes, sigma, current, "V", "A"),
        validity={"voltage": span(data.volts, "V"), "step_time": _steps(data)},
        fixed={
            name: held(value, model.constants[name][1]) for name, value in model.constants_for(data).items()
        },
        open_allowed=model.may_vanish,
        better_model=better,
        curve=lambda values: _current(data, model, values),
    )


def _judged(data: Sweep, problem: LeastSquares, best: Floats) -> tuple[float, float]:
    along = np.arange(1.0, len(data.volts) + 1)
    return lack_of_fit(along, problem.residuals(best), parameters=len(best))


def _with_more(
    data: Sweep, model: SweepModel, problem: LeastSquares, best: Floats
) -> tuple[SweepModel, LeastSquares, Floats]:
    """Free the further parameters; keep them where they take off a fifth of the squares."""
    whole = replace(model, parameters=(*model.parameters, *model.more), more=())
    wider, start = _problem(data, whole), problem.values(best)
    tries = [wider.minimise(wider.coordinates({**start, **more})) for more in model.more_starts(start)]
    place = wider.minimise(min(tries, key=wider.squares))
    if not wider.squares(place) <= (1 - _WORTH_MORE) * problem.squares(best):
        return model, problem, best
    values = wider.values(place)
    gone = {name for name, size in model.nothing.items() if values[name] < size}
    gone |= {b for off, b in (("off1", "b_off"), ("off2", "b_off2")) if off in gone}
    if gone:
        units = {p.name: p.unit for p in whole.parameters}
        constants = {**whole.constants, **{name: (0.0, units[name]) for name in sorted(gone)}}
        left = tuple(p for p in whole.parameters if p.name not in gone)
        whole = replace(whole, parameters=left, constants=constants)
        wider = _problem(data, whole)
        place = wider.minimise(wider.coordinates(values))
    return whole, wider, place


def _steps(data: Sweep) -> tuple[float, float, str]:
    steps = np.diff(data.seconds)
    return span(steps[steps > 0], "s")


def _current(data: Sweep, model: SweepModel, values: Mapping[str, float]) -> Floats:
    return model.sweep({**model.constants_for(data), **values}, data.volts, data.seconds, data.begins)


def _fitted(data: Sweep, model: SweepModel) -> tuple[SweepModel, LeastSquares, Floats]:
    """Climb from every start a little way, from the best two all the way; then choose among what is held."""
    problem = _problem(data, model)
    tries = [problem.minimise(problem.coordinates(s), calls=12) for s in model.starts(data)]
    ends = [problem.minimise(place) for place in sorted(tries, key=problem.squares)[:2]]
    best = min(ends, key=problem.squares)
    for name, values in model.choices.items():
        for value in values:
            other = replace(model, constants={**model.constants, name: (value, "")})
            rival = _problem(data, other)
            place = rival.minimise(best, calls=30)
            if rival.squares(place) + _WORTH * problem.variance(best) < problem.squares(best):
                model, problem, best = other, rival, place
    return model, problem, problem.minimise(best)


def _floor(data: Sweep, fitted: Floats) -> float:
    """Where the scatter near zero current and the relative scatter of large currents meet."""
    left, size = np.abs(data.amperes - fitted), np.abs(fitted)
    low, high = size <= 3 * data.floor, size > 30 * data.floor
    if low.sum() < 3 or high.sum() < 10:
        return data.floor
    relative = float(np.median(left[high] / size[high]))
    floor = float(np.median(left[low])) / max(relative, 1e-6)
    return float(np.clip(floor, 0.1 * data.floor, 0.1 * size.max()))


def _problem(data: Sweep, model: SweepModel) -> LeastSquares:
    measured = np.arcsinh(data.amperes / data.floor)

    def residuals(values: Mapping[str, float]) -> Floats:
        return np.asarray(np.arcsinh(_current(data, model, values) / data.floor) - measured)

    return LeastSquares(model.parameters, residuals, len(data.volts))


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
