"""How devices of one kind differ: mean and spread of each fitted parameter, with uncertainties.

Fitted values scatter by their own uncertainties on top of what devices differ. Normal random effects
tell the two apart: value = mean + spread xi + error, the error's size known from each fit; the spread by
restricted maximum likelihood (H. D. Patterson and R. Thompson, Biometrika 58, 545, 1971), its interval
by profile. Parameters that are positive are taken by their logarithm: the mean is geometric, the spread
relative.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from labtrain.twins.fit import Estimate, Floats
from labtrain.twins.likelihood import Likelihood
from labtrain.twins.profile import Parameter, estimates

if TYPE_CHECKING:
    from labtrain.twins.twin_file import DeviceTwin

METHOD = "normal random effects, restricted maximum likelihood"
FEWEST = 3
_INDEX = re.compile(r"\[\d+\]$")


@dataclass(frozen=True, slots=True)
class Spread:
    """One parameter over a population.

    Attributes
    ----------
    mean
        Geometric where ``relative``.
    spread
        Standard deviation between devices; of the logarithm where ``relative``. Never NaN: 0 where devices
        differ by no more than their uncertainties.
    relative
        Whether the spread is one of the logarithm.
    average, median
        Of the devices' values as they are.
    """

    mean: Estimate
    spread: Estimate
    relative: bool
    average: float
    median: float


@dataclass(frozen=True, slots=True)
class PopulationSpread:
    """Devices of one model and kind.

    Attributes
    ----------
    devices, described
        How many were fitted, and how many of these the model describes.
    basis
        ``"described"``: the spread is over those; ``"fitted"``: over all, where the model describes fewer
        than half.
    """

    model: str
    devices: int
    described: int
    basis: str
    parameters: Mapping[str, Spread]


def population_spreads(devices: Mapping[str, DeviceTwin]) -> dict[str, PopulationSpread]:
    """Gather devices of one array and terminal (or of one group of measured data) and model."""
    groups: dict[tuple[str, str], list[DeviceTwin]] = {}
    for name, device in devices.items():
        if device.verdict != "insufficient":
            groups.setdefault((kind_of(name), device.model), []).append(device)
    several: dict[str, int] = {}
    for kind, _ in groups:
        several[kind] = several.get(kind, 0) + 1
    return {
        kind if several[kind] == 1 else f"{kind} ({model})": _population(model, members)
        for (kind, model), members in groups.items()
        if len(members) >= FEWEST
    }


def kind_of(name: str) -> str:
    """Return what a device's name shares with its like: ``neurons[3]/top`` -> ``neurons/top``."""
    parts = [_INDEX.sub("", part) for part in name.split("/")]
    words = [part for part in parts if not _is_number(part)]
    return "/".join(words) or "devices"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _population(model: str, members: list[DeviceTwin]) -> PopulationSpread:
    good = [device for device in members if device.verdict == "describes"]
    basis = "described" if len(good) >= max(FEWEST, len(members) / 2) else "fitted"
    chosen = good if basis == "described" else members
    names = [
        n for n, e in chosen[0].parameters.items() if not e.fixed and all(n in d.parameters for d in chosen)
    ]
    found = {name: spread_of([device.parameters[name] for device in chosen]) for name in names}
    known = {name: spread for name, spread in found.items() if spread is not None}
    return PopulationSpread(model, len(members), len(good), basis, known)


def spread_of(values: list[Estimate]) -> Spread | None:
    """Return mean and spread of one parameter over devices; None where fewer than three have a value."""
    sound = [e for e in values if math.isfinite(e.value) and math.isfinite(e.uncertainty)]
    if len(sound) < FEWEST:
        return None
    x, error = np.array([e.value for e in sound]), np.array([e.uncertainty for e in sound])
    # an upper limit is no value with an error on a logarithmic scale
    relative = bool((np.abs(x) > 2 * error).all() and (np.sign(x) == np.sign(x[0])).all())
    unit = sound[0].unit
    plain = float(np.mean(x)), float(np.median(x))
    if not relative:
        mean, spread = _normal(x, error)
        return Spread(_with_unit(mean, unit), _with_unit(spread, unit), False, *plain)
    mean, spread = _normal(np.log(np.abs(x)), error / np.abs(x))
    sign = float(np.sign(x[0]))
    value = math.exp(mean.value)
    ends = sorted(sign * math.exp(end) for end in mean.interval)
    centre = Estimate(sign * value, value * mean.uncertainty, unit, (ends[0], ends[1]))
    return Spread(centre, spread, True, *plain)


def _with_unit(e: Estimate, unit: str) -> Estimate:
    return Estimate(e.value, e.uncertainty, unit, e.interval)


def _normal(x: Floats, error: Floats) -> tuple[Estimate, Estimate]:
    """Return mean and spread, without units."""
    size = max(float(np.std(x, ddof=1)), 1e-12 * max(float(np.max(np.abs(x))), 1.0), 1e-300)

    def restricted(values: Mapping[str, float]) -> float:
        variance = (values["spread"] * size) ** 2 + error**2 + (1e-9 * size) ** 2
        weight = 1 / variance
        left = x - float(weight @ x) / float(weight.sum())
        return -0.5 * float(
            np.sum(np.log(variance / size**2)) + math.log(weight.sum() * size**2) + weight @ left**2
        )

    problem = Likelihood((Parameter("spread", "", positive=True),), restricted)
    excess = 1 - float(np.mean(error**2)) / size**2
    best = problem.minimise(problem.coordinates({"spread": math.sqrt(max(excess, 1e-4))}))
    found = estimates(problem, best, problem.covariance(best))["spread"]
    resolved = found.value if found.interval[0] > 0 or excess > 0 else 0.0
    ends = (found.interval[0] * size, found.interval[1] * size)
    spread = Estimate(resolved * size, found.uncertainty * size, "", ends)
    weight = 1 / (spread.value**2 + error**2 + (1e-9 * size) ** 2)
    mean = float(weight @ x) / float(weight.sum())
    deviation = 1 / math.sqrt(float(weight.sum()))
    reach = float(stats.t.ppf(0.975, len(x) - 1)) * deviation
    return Estimate(mean, deviation, "", (mean - reach, mean + reach)), spread
