"""Bias-dependent magnetoresistance: I(V) of a junction in both of its states."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from labtrain.errors import DataError
from labtrain.physics.tunnelling import barrier_resistance
from labtrain.twins.conclusion import conclude, span
from labtrain.twins.fit import Fit, Floats, Points, TooFewData
from labtrain.twins.lack_of_fit import lack_of_fit
from labtrain.twins.least_squares import LeastSquares
from labtrain.twins.profile import Parameter
from labtrain.twins.scatter import two_part_scatter

MODEL = "bias-tmr"
_FEWEST = 5


def fit_bias_tmr(volts: Floats, amperes: Floats, state: Floats) -> Fit:
    """Fit I = V / R(V, state) + I_offset with R_AP = R_P [1 + TMR0/(1 + (V/V_h)^2)].

    Currents are fitted, not resistances: V/I of small voltages is noise, and worse with an offset.

    Parameters
    ----------
    volts, amperes
        ``[m]`` readings across the barrier.
    state
        ``[m]``: 0 parallel, 1 antiparallel; readings of negative, unknown state are left out.

    Returns
    -------
    Fit
        ``r_p`` in ohm, ``tmr0``, ``v_h`` in V and ``offset`` in A, with 95 % profile intervals. A junction
        that was not biased far enough leaves ``v_h`` open: "insufficient".

    Raises
    ------
    TooFewData, DataError
        For fewer than five readings of a state; for a state that is neither 0 nor 1.
    """
    known = np.asarray(state) >= 0
    volts, amperes, state = (np.asarray(a, dtype=float)[known] for a in (volts, amperes, state))
    _check(volts, amperes, state)
    parameters = (
        Parameter("r_p", "ohm", positive=True),
        Parameter("tmr0", "", positive=True),
        Parameter("v_h", "V", positive=True),
        Parameter("offset", "A", scale=1e-3 * float(np.max(np.abs(amperes)))),
    )

    def current(values: Mapping[str, float]) -> Floats:
        return np.asarray(volts / barrier_resistance(values, volts, state) + values["offset"])

    def problem(sigma: Floats) -> LeastSquares:
        return LeastSquares(parameters, lambda values: (amperes - current(values)) / sigma, len(volts))

    plain = problem(np.full_like(amperes, np.std(amperes)))
    tries = [plain.minimise(plain.coordinates(_start(volts, amperes, state, v_h))) for v_h in (0.2, 0.5, 1.0)]
    first = min(tries, key=plain.squares)
    fitted = current(plain.values(first))
    sigma, _ = two_part_scatter(amperes - fitted, fitted**2)
    weighed = problem(sigma)
    best = weighed.minimise(first)
    fitted = current(weighed.values(best))
    place = volts + 4 * np.ptp(volts) * state  # one state after the other
    ratio, probability = lack_of_fit(place, (amperes - fitted) / sigma, parameters=len(parameters))
    return conclude(
        MODEL,
        weighed,
        best,
        ratio=ratio,
        probability=probability,
        points=Points(volts, amperes, sigma, fitted, "V", "A", state),
        validity={"voltage": span(volts, "V")},
        curve=current,
    )


def _check(volts: Floats, amperes: Floats, state: Floats) -> None:
    if not (np.isfinite(volts).all() and np.isfinite(amperes).all()):
        raise DataError("R(V) has readings that are not finite", remedy="leave flagged readings out")
    if not np.isin(state, (0, 1)).all():
        raise DataError(
            "a state is neither 0 (P) nor 1 (AP)", remedy="name the states in the column's values"
        )
    if min(np.sum(state == 0), np.sum(state == 1)) < _FEWEST:
        raise TooFewData("TMR(V) needs at least five readings in each state", remedy="measure both states")


def _start(volts: Floats, amperes: Floats, state: Floats, v_h: float) -> dict[str, float]:
    siemens = [abs(float(volts[state == s] @ amperes[state == s])) for s in (0, 1)]
    siemens = [max(g, 1e-300) / float(volts[state == s] @ volts[state == s]) for s, g in enumerate(siemens)]
    tmr = max(siemens[0] / siemens[1] - 1, 0.05) * (1 + float(np.mean(volts**2)) / v_h**2)
    return {"r_p": 1 / siemens[0], "tmr0": tmr, "v_h": v_h, "offset": 0.0}
