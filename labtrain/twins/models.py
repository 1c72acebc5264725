"""The fit models by name: which columns each needs, and what else could describe the same data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import UsageError
from labtrain.twins import bias_tmr, relaxation, soft_bounds, telegraph, write_noise
from labtrain.twins.bias_tmr import fit_bias_tmr
from labtrain.twins.fit import Fit, Floats
from labtrain.twins.memristor_sweeps import both_ways, fit_sweeps, sweeps
from labtrain.twins.nano_neuron import fit_nano_neuron
from labtrain.twins.relaxation import fit_relaxation
from labtrain.twins.resistance import fit_resistance
from labtrain.twins.soft_bounds import fit_soft_bounds
from labtrain.twins.sweep_models import SWEEP_MODELS, SweepModel
from labtrain.twins.switching import counts_of, fit_switching
from labtrain.twins.telegraph import dwells_of_list, dwells_of_trace, fit_telegraph
from labtrain.twins.write_noise import fit_repeated_writes, fit_write_noise

Roles = Mapping[str, Floats]
"""Role (see :data:`labtrain.twins.column_map.ROLES`) -> numbers ``[m]`` in SI."""


@dataclass(frozen=True, slots=True)
class Model:
    """A fit model.

    Attributes
    ----------
    name
        As in ``--model``.
    needs
        Sets of roles, each enough; of one whose name ends in ``?`` the fit makes use where it is there.
    fit
        From roles to a fit.
    """

    name: str
    needs: tuple[tuple[str, ...], ...]
    fit: Callable[[Roles], Fit]

    def suits(self, roles: Mapping[str, object]) -> bool:
        """Whether the data have what it needs."""
        return any(all(name in roles for name in _required(need)) for need in self.needs)

    def check(self, roles: Mapping[str, object]) -> None:
        """Refuse data that lack a column.

        Raises
        ------
        UsageError
            Naming what is missing from the set that lacks the least.
        """
        if self.suits(roles):
            return
        missing = [[name for name in _required(need) if name not in roles] for need in self.needs]
        least = min(range(len(missing)), key=lambda i: len(missing[i]))
        sets = " or ".join(", ".join(_required(need)) for need in self.needs)
        raise UsageError(
            f"model {self.name!r} needs the columns {sets}; {', '.join(missing[least])} is missing",
            remedy="add it to [columns] of the column map",
        )


def _required(need: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in need if not name.endswith("?"))


def _switching(model: str) -> Callable[[Roles], Fit]:
    def fit(roles: Roles) -> Fit:
        seconds = roles.get("width")
        if "switched" in roles:
            return fit_switching(counts_of(roles["voltage"], roles["switched"], seconds=seconds), model)
        trials = roles["trials"]
        return fit_switching(counts_of(roles["voltage"], roles["probability"], trials, seconds), model)

    return fit


def _nano_neuron(roles: Roles) -> Fit:
    fit = fit_nano_neuron(roles["current"], roles["voltage"])
    if fit.verdict == "does-not-describe" and fit.better_model is None and both_ways(roles["voltage"]):
        hint = "a memristor's sweep is fitted by --model yakopcic or vteam, which need times"
        return replace(fit, reason=f"{fit.reason}; {hint}")
    return fit


def _bias_tmr(roles: Roles) -> Fit:
    amperes = roles["current"] if "current" in roles else roles["voltage"] / roles["resistance"]
    return fit_bias_tmr(roles["voltage"], amperes, roles["state"])


def _telegraph(roles: Roles) -> Fit:
    known = roles["state"] >= 0
    roles = {name: column[known] for name, column in roles.items()}
    volts, state = roles["voltage"], roles["state"]
    if "dwell" in roles:
        data = dwells_of_list(volts, state, roles["dwell"], roles["interval"], roles.get("complete"))
    elif "interval" in roles:
        data = dwells_of_trace(volts, state, roles["interval"])
    else:
        data = dwells_of_trace(volts, state, _interval_of(roles["time"]))
    return fit_telegraph(data)


def _interval_of(seconds: Floats) -> Floats:
    """The usual distance between samples; a trace of evenly spaced ones is meant."""
    steps = np.diff(seconds)
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    return np.full(len(seconds), usual)


def _sweeps(model: SweepModel, roles: Roles) -> Fit:
    return fit_sweeps(sweeps(roles["voltage"], roles["current"], roles["time"]), model)


def _soft_bounds(roles: Roles) -> Fit:
    if "before" in roles:
        return fit_soft_bounds(roles["before"], roles["conductance"], roles["polarity"])
    siemens = roles["conductance"]
    return fit_soft_bounds(siemens[:-1], siemens[1:], roles["polarity"][1:])


def _write_noise(roles: Roles) -> Fit:
    if "target" in roles:
        ends = _ends_of_writes(roles)
        return fit_write_noise(roles["target"][ends], roles["conductance"][ends])
    return fit_repeated_writes(roles["resistance"] if "resistance" in roles else 1 / roles["conductance"])


def _ends_of_writes(roles: Roles) -> NDArray[np.intp]:
    """Rows at which a write was done: the last of pulses to one target that each start where one ended."""
    target, after = roles["target"], roles["conductance"]
    aimed = np.isfinite(target)
    goes_on = np.zeros(len(target), dtype=bool)
    if "before" in roles:
        goes_on[:-1] = (target[1:] == target[:-1]) & (roles["before"][1:] == after[:-1])
    return np.flatnonzero(aimed & ~goes_on)


_COUNTS = (("voltage", "switched", "width?"), ("voltage", "probability", "trials", "width?"))

MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "resistance",
            (("current", "voltage"),),
            lambda roles: fit_resistance(roles["current"], roles["voltage"]),
        ),
        Model("logistic", _COUNTS, _switching("logistic")),
        Model("plateaued-logistic", _COUNTS, _switching("plateaued-logistic")),
        Model("neel-brown", tuple((*need[:-1], "width") for need in _COUNTS), _switching("neel-brown")),
        Model(
            telegraph.MODEL,
            (
                ("voltage", "state", "dwell", "interval"),
                ("voltage", "state", "time"),
                ("voltage", "state", "interval"),
            ),
            _telegraph,
        ),
        Model(
            "nano-neuron",
            (("current", "voltage"),),
            _nano_neuron,
        ),
        Model(
            bias_tmr.MODEL,
            (("voltage", "current", "state"), ("voltage", "resistance", "state")),
            _bias_tmr,
        ),
        *(
            Model(name, (("voltage", "current", "time"),), partial(_sweeps, model))
            for name, model in SWEEP_MODELS.items()
        ),
        Model(
            soft_bounds.MODEL,
            (("before", "conductance", "polarity"), ("conductance", "polarity")),
            _soft_bounds,
        ),
        Model(
            write_noise.MODEL,
            (("target", "conductance"), ("resistance",), ("conductance",)),
            _write_noise,
        ),
        Model(
            relaxation.MODEL,
            (("before", "conductance", "time"),),
            lambda roles: fit_relaxation(roles["before"], roles["conductance"], roles["time"]),
        ),
    )
}
"""The models by the names of ``--model``."""


def usual_model(roles: Mapping[str, object]) -> str:
    """Return the model that data with these columns are usually fitted with.

    Raises
    ------
    UsageError
        Where no model suits them.
    """
    for name in _USUAL:
        if MODELS[name].suits(roles):
            return name
    raise UsageError(
        f"no model is for the columns {', '.join(roles)}",
        remedy="; ".join(f"{m.name}: {' or '.join(', '.join(n) for n in m.needs)}" for m in MODELS.values()),
    )


_USUAL = (
    "logistic",
    telegraph.MODEL,
    bias_tmr.MODEL,
    "nano-neuron",
    relaxation.MODEL,
    soft_bounds.MODEL,
    write_noise.MODEL,
)
