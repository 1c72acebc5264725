"""Random telegraph noise: dwell times of a two-state device against its bias.

A trace sampled every T_s misses each event that begins and ends between two samples; dwell times read
off it are too long. What is left is still exact: the samples are a Markov chain whose chances
of leaving a state follow from both dwell times (:func:`labtrain.physics.telegraph.thresholds`), so the
likelihood of the sampled dwell times corrects for missed events without an approximation (compare
A. G. Hawkes, A. Jalali, D. Colquhoun, Phil. Trans. R. Soc. Lond. A 332, 511, 1990). It holds for readings
much shorter than a dwell; readings averaged over a time blur the ends of a dwell, not the chain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logit

from labtrain.errors import DataError
from labtrain.physics import telegraph
from labtrain.twins.conclusion import conclude, held, span
from labtrain.twins.fit import Fit, Floats, Points, TooFewData
from labtrain.twins.likelihood import Likelihood
from labtrain.twins.profile import Parameter

MODEL = "two-state-telegraph"
TAU0 = 1e-9
"""Attempt time in s, held: dwell times do not tell it from Delta."""

_FEWEST_EVENTS = 10


@dataclass(frozen=True, slots=True)
class Dwells:
    """Sampled dwell times at ``b`` biases.

    Attributes
    ----------
    volts, interval
        ``[b]``; the interval between samples in s.
    leaves, stays
        ``[b, 2]``: steps from P (0) and AP (1) that changed the state, and those that did not.
    runs
        For each bias and state (``2 b + state``), the lengths in samples of dwells seen from end to end.
    """

    volts: Floats
    interval: Floats
    leaves: Floats
    stays: Floats
    runs: tuple[Floats, ...]


def dwells_of_trace(volts: Floats, state: Floats, interval: Floats) -> Dwells:
    """Gather a trace of samples, in order of time, at one bias after the other.

    Parameters
    ----------
    volts, state, interval
        ``[m]``: bias, state (0 or 1), and s to the next sample. A change of bias or interval begins a new
        trace.
    """
    states = _states(state)
    first = np.r_[True, (np.diff(volts) != 0) | (np.diff(interval) != 0)]
    change = first | np.r_[True, np.diff(states) != 0]
    begin = np.flatnonzero(change)
    length = np.diff(np.r_[begin, len(states)]).astype(float)
    opens = first[begin]
    whole = ~opens & np.r_[~opens[1:], False]  # neither cut by the trace's begin nor by its end
    left = np.r_[~opens[1:], False]
    return _gathered(volts[begin], interval[begin], states[begin], length, whole, left)


def dwells_of_list(
    volts: Floats, state: Floats, dwell: Floats, interval: Floats, complete: Floats | None = None
) -> Dwells:
    """Gather dwell times read off sampled traces.

    Parameters
    ----------
    dwell, interval
        ``[m]`` in s: each dwell is a whole number of intervals.
    complete
        ``[m]``: 1 where the dwell was seen from end to end, 0 where the trace cut it. None: all were.
    """
    if not (np.isfinite(dwell).all() and (dwell > 0).all() and (interval > 0).all()):
        raise DataError("a dwell time or sampling interval is not above 0", remedy="check columns and units")
    length = np.maximum(np.round(dwell / interval), 1.0)
    whole = np.ones(len(dwell), bool) if complete is None else np.asarray(complete) > 0
    return _gathered(volts, interval, _states(state), length, whole, whole)


def _states(state: Floats) -> NDArray[np.int64]:
    if not np.isin(state, (0, 1)).all():
        raise DataError(
            "a state is neither 0 (P) nor 1 (AP)", remedy="name the states in the column's values"
        )
    return np.asarray(state, dtype=np.int64)


def _gathered(
    volts: Floats,
    interval: Floats,
    state: NDArray[np.int64],
    length: Floats,
    whole: NDArray[np.bool_],
    left: NDArray[np.bool_],
) -> Dwells:
    keys, place = np.unique(np.stack([volts, interval], axis=1), axis=0, return_inverse=True)
    cell = 2 * place.ravel() + state
    count = 2 * len(keys)
    leaves, stays = (
        np.bincount(cell, weights=each, minlength=count).astype(np.float64).reshape(-1, 2)
        for each in (left.astype(float), length - 1)
    )
    runs = tuple(length[(cell == i) & whole] for i in range(count))
    return Dwells(keys[:, 0], keys[:, 1], leaves, stays, runs)


def fit_telegraph(data: Dwells) -> Fit:
    """Fit dwell times by the likelihood of the sampled chain.

    Returns
    -------
    Fit
        From several biases ``delta``, ``v50`` and ``v_c`` in V (``tau0`` held at 1 ns) of barriers linear
        in V; from one bias ``tau_p`` and ``tau_ap`` in s. 95 % profile intervals; the verdict tests the
        bias law and that dwell times are exponential.

    Raises
    ------
    TooFewData
        For fewer than ten events, or a device sampled too slowly to tell its dwell times.
    """
    if data.leaves.sum() < _FEWEST_EVENTS or (data.leaves.sum(axis=0) < 3).any():
        raise TooFewData("fewer than ten changes of state", remedy="measure longer, or nearer to V50")
    leaving = _observed(data)
    memory = 1 - leaving.sum(axis=1)
    if np.average(memory, weights=data.leaves.sum(axis=1) + data.stays.sum(axis=1)) < 0.1:
        raise TooFewData(
            "samples hardly remember the one before: the device is faster than the sampling",
            remedy="sample at least five times a dwell",
        )
    return _at_one_bias(data) if len(data.volts) == 1 else _against_bias(data, memory)


def _observed(data: Dwells) -> Floats:
    """Chances of leaving each state a sample, ``[b, 2]``, drawn a little towards 1/2."""
    return np.asarray((data.leaves + 0.25) / (data.leaves + data.stays + 0.5))


def _chain_likelihood(data: Dwells, leaving: Floats) -> float:
    leaving = np.clip(leaving, 1e-15, 1 - 1e-15)
    return float(np.sum(data.leaves * np.log(leaving) + data.stays * np.log1p(-leaving)))


def _leaving(data: Dwells, values: Mapping[str, float]) -> Floats:
    low, high = telegraph.thresholds({**values, "tau0": TAU0}, data.volts, data.interval)
    return np.stack([low, 1 - high], axis=1)


def _leaving_at(interval: Floats, values: Mapping[str, float]) -> Floats:
    """Chances of leaving from two dwell times: the same chain."""
    tau_p, tau_ap = values["tau_p"], values["tau_ap"]
    mixed = -np.expm1(-interval * (1 / tau_p + 1 / tau_ap))
    return np.stack([mixed * tau_ap, mixed * tau_p], axis=1) / (tau_p + tau_ap)


def _against_bias(data: Dwells, memory: Floats) -> Fit:
    parameters = (
        Parameter("delta", "", positive=True),
        Parameter("v50", "V", scale=max(float(np.ptp(data.volts)), 1e-6)),
        Parameter("v_c", "V", positive=True),
    )
    problem = Likelihood(parameters, lambda values: _chain_likelihood(data, _leaving(data, values)))
    best = problem.minimise(problem.coordinates(_start(data, memory)))
    leaving = _leaving(data, problem.values(best))
    ratio, probability = _test(data, leaving, fitted=3)

    def dwell_times(values: Mapping[str, float]) -> Floats:
        both = telegraph.dwell_times({**values, "tau0": TAU0}, data.volts)
        return np.stack(both, axis=1).ravel()

    return conclude(
        MODEL,
        problem,
        best,
        ratio=ratio,
        probability=probability,
        points=_points(data, dwell_times(problem.values(best))),
        validity={"voltage": span(data.volts, "V"), "interval": span(data.interval, "s")},
        fixed={"tau0": held(TAU0, "s")},
        curve=dwell_times,
        note=f"{data.leaves.sum():,.0f} changes of state, missed events corrected",
    )


def _at_one_bias(data: Dwells) -> Fit:
    parameters = (Parameter("tau_p", "s", positive=True), Parameter("tau_ap", "s", positive=True))
    problem = Likelihood(
        parameters, lambda values: _chain_likelihood(data, _leaving_at(data.interval, values))
    )
    tau = _dwell_seconds(data, _observed(data))[0]
    best = problem.minimise(problem.coordinates({"tau_p": float(tau[0]), "tau_ap": float(tau[1])}))
    values = problem.values(best)
    ratio, probability = _test(data, _leaving_at(data.interval, values), fitted=2)
    return conclude(
        MODEL,
        problem,
        best,
        ratio=ratio,
        probability=probability,
        points=_points(data, np.array([values["tau_p"], values["tau_ap"]])),
        curve=lambda found: np.array([found["tau_p"], found["tau_ap"]]),
        validity={"voltage": span(data.volts, "V"), "interval": span(data.interval, "s")},
        note="one bias: dwell times there; several biases give delta, v50 and v_c",
    )


def _dwell_seconds(data: Dwells, leaving: Floats) -> Floats:
    """Dwell times in s from chances of leaving, ``[b, 2]``: the chain solved for its two rates."""
    mixed = np.clip(leaving.sum(axis=1), 1e-12, 1 - 1e-9)
    rates = leaving / mixed[:, None] * (-np.log1p(-mixed) / data.interval)[:, None]
    return np.asarray(1 / np.maximum(rates, 1e-300))


def _start(data: Dwells, memory: Floats) -> dict[str, float]:
    leaving = _observed(data)
    share = leaving[:, 0] / leaving.sum(axis=1)
    weight = np.sqrt(np.prod(data.leaves + 0.25, axis=1))
    slope, height = np.polyfit(data.volts, logit(share), 1, w=np.sqrt(weight))
    slope = slope if slope > 0 else 1 / np.ptp(data.volts)
    v50 = float(np.clip(-height / slope, data.volts.min() - 1, data.volts.max() + 1))
    tau_c = -data.interval / np.log(np.clip(memory, 1e-3, 1 - 1e-9))
    tilt = np.clip(slope * (data.volts - v50) / 2, -30, 30)
    delta = float(np.average(np.log(2 * np.cosh(tilt) * tau_c / TAU0), weights=weight))
    delta = max(delta, 1.0)
    return {"delta": delta, "v50": v50, "v_c": 2 * delta / slope}


def _test(data: Dwells, leaving: Floats, fitted: int) -> tuple[float, float]:
    """Pearson's chi-square of the counts at each bias, and of each state's run lengths.

    Returns
    -------
    chi2_reduced, probability
        NaN without a degree of freedom.
    """
    steps = data.leaves + data.stays
    expected = steps * leaving
    use = (expected >= 5) & (steps - expected >= 5)
    chi_square = float(
        np.sum(((data.leaves - expected) ** 2 / np.maximum(expected * (1 - leaving), 1e-12))[use])
    )
    freedom = int(use.sum()) - fitted
    if freedom <= 0:
        chi_square, freedom = 0.0, 0
    for runs in data.runs:
        more, bins = _geometric_test(runs)
        chi_square, freedom = chi_square + more, freedom + bins
    if not freedom:
        return math.nan, math.nan
    return chi_square / freedom, float(stats.chi2.sf(chi_square, freedom))


def _geometric_test(runs: Floats) -> tuple[float, int]:
    """Return chi-square and degrees of freedom of run lengths against a geometric law of their own mean."""
    if len(runs) < 30:
        return 0.0, 0
    leave = 1 / float(np.mean(runs))
    wanted = np.linspace(0, 1, min(len(runs) // 10, 12) + 1)[1:-1]
    edges = np.unique(np.ceil(np.log1p(-wanted) / math.log1p(-min(leave, 1 - 1e-9))))
    below = -np.expm1(edges * math.log1p(-min(leave, 1 - 1e-9)))
    expected = len(runs) * np.diff(np.r_[0.0, below, 1.0])
    counts = np.bincount(np.searchsorted(edges, runs, side="left"), minlength=len(expected))
    enough = expected >= 3
    if enough.sum() < 4:
        return 0.0, 0
    chi_square = float(np.sum((counts - expected)[enough] ** 2 / expected[enough]))
    return chi_square, int(enough.sum()) - 2 + int(not enough.all())


def _points(data: Dwells, fitted: Floats) -> Points:
    observed = _dwell_seconds(data, _observed(data))
    sigma = fitted / np.sqrt(np.maximum(data.leaves, 1.0)).ravel()
    volts = np.repeat(data.volts, 2)
    state = np.tile([0.0, 1.0], len(data.volts))
    return Points(volts, observed.ravel(), sigma, fitted, "V", "s", state)
