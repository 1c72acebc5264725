"""I-V sweeps of memristors: VTEAM and Yakopcic, hysteresis and all.

Currents span decades and scatter in proportion: they are compared on the scale ``asinh(I/floor)``, which
is logarithmic above the instrument's floor and linear below it, where a sign is noise. The state is followed
along the sweep from where it began; voltages and times are those recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy import stats

from labtrain.errors import DataError
from labtrain.twins.conclusion import conclude, held, span
from labtrain.twins.fit import SIGNIFICANCE, Fit, Floats, Points, TooFewData
from labtrain.twins.lack_of_fit import lack_of_fit
from labtrain.twins.least_squares import LeastSquares
from labtrain.twins.sweep_models import SWEEP_MODELS, Sweep, SweepModel

_FEWEST = 40
_FLOOR_SHARE = 0.03

_WORTH = float(stats.chi2.ppf(0.999, 1))
"""How much another held value must lower chi-square."""
_WORTH_MORE = 0.2
"""Share of the squares that further parameters must take off."""


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
