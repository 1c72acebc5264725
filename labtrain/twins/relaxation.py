"""Relaxation of programmed conductances in log time: its mean, and its spread from write to write.

Every write relaxes by its own random amount along one shape (:func:`labtrain.physics.memristor.relaxed`):
readings of one write at several times go together. The likelihood takes the amount as a random effect and
integrates it out (N. M. Laird and J. H. Ware, Biometrics 38, 963, 1982).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from labtrain.errors import DataError
from labtrain.physics.memristor import relaxation_course
from labtrain.populations.memristor import MEMRISTOR
from labtrain.twins.conclusion import conclude, held, span
from labtrain.twins.fit import Estimate, Fit, Floats, Points, TooFewData
from labtrain.twins.lack_of_fit import lack_of_fit
from labtrain.twins.likelihood import Likelihood
from labtrain.twins.profile import Parameter

MODEL = "relaxation"
FEWEST_WRITES = 6
"""Of one device, at any levels: fewer leave mean and spread open."""
_SHORTEST = 1e-3
_LOST = 0.8


@dataclass(frozen=True, slots=True)
class _Writes:
    """Readings ``[m]`` of ``w`` writes: which write, conductance before, change, time since, weight.

    Noise is relative: a lower conductance is read with less of it, and weighs more.
    ``cut_*`` are writes that were at the cell's lower bound when first read: of these is known only that they
    lost at least the share :data:`_LOST` (J. Tobin, Econometrica 26, 24, 1958). Later readings at the bound
    are left out: the earlier ones already tell how much the write relaxes.
    """

    place: NDArray[np.intp]
    before: Floats
    change: Floats
    seconds: Floats
    weight: Floats
    start: Floats
    cut_before: Floats
    cut_seconds: Floats

    @property
    def repeated(self) -> bool:
        """Whether writes were read more than once, so that noise can be told from relaxation."""
        return len(self.change) >= 2 * len(self.start)


def fit_relaxation(before: Floats, after: Floats, seconds: Floats) -> Fit:
    """Fit what conductances did after they were programmed.

    Parameters
    ----------
    before, after
        ``[m]`` conductances in S right after programming and ``seconds`` later. Rows with the same ``before``
        are readings of the same write.
    seconds
        ``[m]`` since programming.

    Returns
    -------
    Fit
        ``relax_mean`` and ``relax_spread`` (S a decade of time, at the conductance where they are largest)
        and ``g_max`` in S, 95 % profile intervals; ``read_noise`` (relative) where writes were read several
        times. Writes that do not span a factor of two in conductance leave ``g_max`` to the model's default.

    Raises
    ------
    TooFewData, DataError
        For fewer than six writes; for conductances or times that are not positive.
    """
    data = _gathered(*(np.asarray(a, dtype=float) for a in (before, after, seconds)))
    one_level = data.start.max() < 2 * data.start.min()
    bounded = {"g_max": MEMRISTOR.settings["g_max"].default} if one_level else {}
    # one reading a write at one level: noise and relaxation have the same shape
    quiet = (
        {"read_noise": MEMRISTOR.settings["read_noise"].default} if one_level and not data.repeated else {}
    )
    constants = bounded | quiet
    parameters = [p for p in _parameters(data) if p.name not in constants]
    problem = Likelihood(parameters, lambda values: _log_likelihood({**values, **constants}, data))
    tries = [problem.minimise(problem.coordinates(start)) for start in _starts(data)]
    best = min(tries, key=problem.cost)
    values = {**problem.values(best), **constants}
    ratio, probability = _test(values, data, fitted=len(parameters))
    units = {p.name: p.unit for p in _parameters(data)}
    fixed: dict[str, Estimate] = {name: held(value, units[name]) for name, value in constants.items()}
    return conclude(
        MODEL,
        problem,
        best,
        ratio=ratio,
        probability=probability,
        points=_points(values, data),
        validity={"conductance": span(data.start, "S"), "time": span(data.seconds, "s")},
        fixed=fixed,
        curve=lambda found: _middle({**found, **constants}, data),
        note="one level of conductance: g_max is the model's default" if one_level else "",
    )


def _gathered(before: Floats, after: Floats, seconds: Floats) -> _Writes:
    sound = np.isfinite(before) & np.isfinite(after) & (before > 0) & (seconds >= 0)
    if not sound.all():
        raise DataError(
            "a conductance before is not above 0, or a time is negative",
            remedy="leave flagged readings out; times count from the write",
        )
    later = (seconds > _SHORTEST) & (after > (1 - _LOST) * before)
    start, place = np.unique(before[later], return_inverse=True)
    if len(start) < FEWEST_WRITES:
        raise TooFewData(f"relaxation needs at least {FEWEST_WRITES} writes", remedy="program and wait again")
    gone = (seconds > _SHORTEST) & ~later & ~np.isin(before, start)
    cut, first = np.unique(before[gone], return_index=True)
    return _Writes(
        place.ravel(),
        before[later],
        (after - before)[later],
        seconds[later],
        ((before / after)[later]) ** 2,
        start,
        cut,
        seconds[gone][first],
    )


def _parameters(data: _Writes) -> tuple[Parameter, ...]:
    size = max(float(np.std(data.change)), 1e-12)
    return (
        Parameter("relax_mean", "S", scale=size),
        Parameter("relax_spread", "S", positive=True),
        Parameter("g_max", "S", positive=True),
        Parameter("read_noise", "", positive=True),
    )


def _starts(data: _Writes) -> list[dict[str, float]]:
    highest = float(data.start.max())
    starts = []
    for above in (1.03, 1.2, 2.0):
        unit = _unit(above * highest, data.before, data.seconds)
        slopes = data.change / np.maximum(unit, 1e-3 * unit.max())
        middle = float(np.median(slopes))
        spread = max(1.48 * float(np.median(np.abs(slopes - middle))), 1e-3 * abs(middle), 1e-12)
        starts.append(
            {"relax_mean": -middle, "relax_spread": spread, "g_max": above * highest, "read_noise": 3e-3}
        )
    return starts


def _unit(g_max: float, before: Floats, seconds: Floats) -> Floats:
    """Change of each reading in S by a relaxation of 1 S a decade; none beyond ``g_max``."""
    return np.asarray(relaxation_course(g_max, np.minimum(before, g_max), seconds))


@dataclass(frozen=True, slots=True)
class _Effects:
    """What is left of each reading, and the two random effects of each write.

    A write's readings are ``unit (spread xi - mean) + b + e``: ``b`` is the noise of the reading before it,
    which all its changes share, ``e`` the noise of each reading; both of standard deviation ``noise``
    ``[w]``.
    """

    unit: Floats
    left: Floats
    noise: Floats
    sums: tuple[Floats, ...]
    inner: tuple[Floats, Floats, Floats]


def _effects(values: Mapping[str, float], data: _Writes) -> _Effects:
    count = len(data.start)

    def total(each: Floats) -> Floats:
        return np.bincount(data.place, weights=data.weight * each, minlength=count).astype(np.float64)

    unit = _unit(values["g_max"], data.before, data.seconds)
    left = data.change + values["relax_mean"] * unit
    noise = values["read_noise"] * data.start
    n, uu, u, ur, r, rr = (
        total(each) for each in (np.ones_like(unit), unit * unit, unit, unit * left, left, left * left)
    )
    spread = values["relax_spread"]
    # inverse covariance of the two effects, given the readings, times the noise's variance
    inner = (noise**2 / spread**2 + uu, u, 1.0 + n)
    return _Effects(unit, left, noise, (ur, r, rr), inner)


def _log_likelihood(values: Mapping[str, float], data: _Writes) -> float:
    found = _effects(values, data)
    ur, r, rr = found.sums
    a, b, d = found.inner
    determinant = a * d - b * b
    explained = (d * ur**2 - 2 * b * ur * r + a * r**2) / determinant
    variance = found.noise**2
    spread = values["relax_spread"]
    count = np.bincount(data.place, minlength=len(data.start))
    logs = count * np.log(variance) + np.log(spread**2 / variance) + np.log(determinant)
    total = -0.5 * float(np.sum(logs + (rr - explained) / variance))
    return total + _cut_likelihood(values, data)


def _cut_likelihood(values: Mapping[str, float], data: _Writes) -> float:
    """Chance that writes which were gone when first read had lost that much."""
    if not len(data.cut_before):
        return 0.0
    unit = _unit(values["g_max"], data.cut_before, data.cut_seconds)
    deviation = np.hypot(values["relax_spread"] * unit, math.sqrt(2) * values["read_noise"] * data.cut_before)
    missing = values["relax_mean"] * unit - _LOST * data.cut_before
    return float(np.sum(stats.norm.logcdf(missing / deviation)))


def _test(values: Mapping[str, float], data: _Writes, fitted: int) -> tuple[float, float]:
    """Test mean and spread over the conductance, and the course in time where writes were read repeatedly."""
    found = _effects(values, data)
    last = np.zeros(len(data.start), dtype=np.intp)
    np.maximum.at(last, data.place, np.arange(len(data.place)))
    deviation = np.hypot(values["relax_spread"] * found.unit[last], math.sqrt(2) * found.noise)
    z = found.left[last] / deviation
    # (z^2)^(1/3) is nearly normal (E. B. Wilson and M. M. Hilferty, PNAS 17, 684, 1931)
    scatter = (np.abs(z) ** (2 / 3) - 7 / 9) / math.sqrt(2 / 9)
    tests = [lack_of_fit(data.start, z, fitted), lack_of_fit(data.start, scatter - scatter.mean(), fitted)]
    if data.repeated:
        tests.append(lack_of_fit(data.seconds, _inside(found, data), fitted))
    known = [test for test in tests if math.isfinite(test[1])]
    if not known:
        return math.nan, math.nan
    ratio, probability = min(known, key=lambda test: test[1])
    return ratio, min(1.0, len(known) * probability)


def _inside(found: _Effects, data: _Writes) -> Floats:
    """What is left of each reading beside its write's own effects, over the noise."""
    ur, r, _ = found.sums
    a, b, d = found.inner
    determinant = a * d - b * b
    slope, shift = (d * ur - b * r) / determinant, (a * r - b * ur) / determinant
    left = found.left - found.unit * slope[data.place] - shift[data.place]
    return np.asarray(left * np.sqrt(data.weight) / found.noise[data.place])


def _middle(values: Mapping[str, float], data: _Writes) -> Floats:
    """The mean change of each reading."""
    return np.asarray(-values["relax_mean"] * _unit(values["g_max"], data.before, data.seconds))


def _points(values: Mapping[str, float], data: _Writes) -> Points:
    found = _effects(values, data)
    deviation = np.hypot(values["relax_spread"] * found.unit, math.sqrt(2) * found.noise[data.place])
    fitted = _middle(values, data)
    return Points(data.before, data.change, deviation, fitted, "S", "S", data.seconds, "s")
