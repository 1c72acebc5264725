"""What a twin says of a fresh measurement of its device, and how much of it comes true."""

from collections.abc import Callable, Mapping

import numpy as np
from twins_hidden import CASES, Hidden, fitted

from labtrain.twins import Fit, relaxation, soft_bounds

NORMAL_95 = 1.959964


def share_inside(name: str, seed: int, fresh: int) -> float:
    """Share of the measurement ``fresh`` inside the 95 % band that the fit of ``seed`` predicts for it."""
    case, fit = CASES[name], fitted(name, seed)
    if case.model in _SAID:
        observed, said, deviation = _SAID[case.model](case, fit, fresh)
    else:
        observed, said, deviation = _at_the_same_stimuli(name, fit, fresh)
    return float(np.mean(np.abs(observed - said) <= NORMAL_95 * deviation))


def _at_the_same_stimuli(name: str, fit: Fit, fresh: int):
    """Most measurements repeat their stimuli: the fit's own points say what comes."""
    points = fit.points
    if name in ("vteam", "yakopcic"):
        observed = CASES[name].measure(fresh)["current"]
    else:
        again = fitted(name, fresh).points
        assert np.array_equal(again.stimulus, points.stimulus)
        observed = again.observed
    return observed, points.fitted, np.hypot(points.sigma, points.band)


def _next_pulse(case: Hidden, fit: Fit, fresh: int):
    """Pulse by pulse, from what the fresh readings have shown until then."""
    roles = case.measure(fresh)
    data = roles["before"], roles["conductance"], np.sign(roles["polarity"])

    def said(values):
        return soft_bounds._filtered(values, *data)[2]

    _, _, fitted, deviation = soft_bounds._filtered(fit_values(fit), *data)
    return data[1], fitted, np.hypot(deviation, band(fit, said))


def _later_readings(case: Hidden, fit: Fit, fresh: int):
    """Of writes that the twin has not seen, from their first reading."""
    roles = case.measure(fresh)
    data = relaxation._gathered(roles["before"], roles["conductance"], roles["time"])
    points = relaxation._points(fit_values(fit), data)
    own = band(fit, lambda values: relaxation._middle(values, data))
    return points.observed, points.fitted, np.hypot(points.sigma, own)


def fit_values(fit: Fit) -> dict[str, float]:
    return {name: one.value for name, one in fit.parameters.items()}


def band(fit: Fit, curve: Callable[[Mapping[str, float]], np.ndarray]) -> np.ndarray:
    """Deviation of a curve by the parameters' uncertainties and correlations, linearised."""
    free = [name for name, one in fit.parameters.items() if not one.fixed]
    values, slopes = fit_values(fit), []
    for name in free:
        sd = fit.parameters[name].uncertainty
        sd = sd if np.isfinite(sd) else 0.0
        up, down = (curve(values | {name: values[name] + sign * 0.01 * sd}) for sign in (1, -1))
        slopes.append((up - down) / 0.02)
    known = np.nan_to_num(fit.correlation)
    return np.sqrt(np.maximum(np.einsum("im,ij,jm->m", slopes, known, slopes), 0.0))


_SAID = {soft_bounds.MODEL: _next_pulse, relaxation.MODEL: _later_readings}
