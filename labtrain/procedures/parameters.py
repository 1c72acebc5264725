"""Settings as typed, against the PyMeasure parameters of a procedure.

PyMeasure itself refuses a bad value late, without saying the range, and knows one spelling of
each unit; here everything is checked at once, before a bench is touched.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

from pymeasure.experiment.parameters import (
    BooleanParameter,
    FloatParameter,
    IntegerParameter,
    ListParameter,
    Parameter,
)

from labtrain.errors import UsageError
from labtrain.naming import nearest
from labtrain.procedures.procedure import DeviceProcedure
from labtrain.units import format_quantity, parse_quantity

_UNBOUNDED = 1e9  # PyMeasure's default for minimum and maximum


def parameters_of(procedure: type[DeviceProcedure]) -> dict[str, Parameter]:
    """Return a procedure's parameters by setting name, as declared; those of every procedure last."""
    found: dict[str, Parameter] = {}
    for base in reversed(inspect.getmro(procedure)):
        found |= {name: value for name, value in vars(base).items() if isinstance(value, Parameter)}
    common = {name for name, value in vars(DeviceProcedure).items() if isinstance(value, Parameter)}
    return dict(sorted(found.items(), key=lambda item: item[0] in common))


def read_settings(procedure: type[DeviceProcedure], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Read all settings, defaults included, as SI values.

    Parameters
    ----------
    settings
        Name -> text such as ``"0.8V"`` or a number (SI).

    Raises
    ------
    UsageError
        For an unknown name (with the nearest), a wrong dimension, a value out of range (with the range).
    """
    known = parameters_of(procedure)
    for name in settings:
        if name not in known:
            raise UsageError(
                f"{procedure.NAME} has no setting {name!r}",
                remedy=nearest(name, known),
                key=name,
            )
    values = {name: parameter.default for name, parameter in known.items()}
    return values | {name: _read(name, known[name], given) for name, given in settings.items()}


def _read(name: str, parameter: Parameter, given: Any) -> Any:
    if isinstance(parameter, FloatParameter):
        return _in_range(name, parameter, _float(name, parameter, given))
    if isinstance(parameter, IntegerParameter):
        return int(_in_range(name, parameter, _integer(name, parameter, given)))
    if isinstance(parameter, BooleanParameter):
        return _boolean(name, given)
    if isinstance(parameter, ListParameter):
        by_text = {str(choice): choice for choice in parameter.choices}
        if str(given) not in by_text:
            raise UsageError(f"{given!r} is not allowed", remedy=f"choose {' or '.join(by_text)}", key=name)
        return by_text[str(given)]
    return str(given)


def _float(name: str, parameter: FloatParameter, given: Any) -> float:
    unit = parameter.units or "dimensionless"
    try:
        value = parse_quantity(given, unit, bare_is_si=True) if isinstance(given, str) else float(given)
    except UsageError as problem:
        raise UsageError(problem.message, remedy=problem.remedy, key=name) from None
    except (TypeError, ValueError):
        raise UsageError(f"{given!r} is no number", remedy=_allowed(parameter), key=name) from None
    if not math.isfinite(value):
        raise UsageError(f"{given!r} is not a finite number", remedy=_allowed(parameter), key=name)
    return value


def _integer(name: str, parameter: IntegerParameter, given: Any) -> int:
    try:
        value = float(given)
        if value != int(value):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{given!r} is no whole number", remedy=_allowed(parameter), key=name) from None
    return int(value)


def _boolean(name: str, given: Any) -> bool:
    words = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
    if str(given).lower() not in words:
        raise UsageError(f"{given!r} is neither true nor false", remedy="give true or false", key=name)
    return words[str(given).lower()]


def _in_range(name: str, parameter: FloatParameter | IntegerParameter, value: float) -> float:
    if parameter.minimum <= value <= parameter.maximum:
        return value
    shown = format_quantity(value, parameter.units or "").strip()
    raise UsageError(f"{shown} is out of range", remedy=_allowed(parameter), key=name)


def _allowed(parameter: Parameter) -> str:
    low, high = bounds(parameter)
    unit = getattr(parameter, "units", None) or ""
    ends = [
        "" if end is None else f"{word} {format_quantity(end, unit).strip()}"
        for word, end in (("at least", low), ("at most", high))
    ]
    said = " and ".join(end for end in ends if end)
    return f"{parameter.name}: {said}" if said else parameter.name


def bounds(parameter: Parameter) -> tuple[float | None, float | None]:
    """Return the allowed range, None where it is open or does not apply."""
    if not isinstance(parameter, FloatParameter | IntegerParameter):
        return None, None
    low, high = parameter.minimum, parameter.maximum
    return (low if low > -_UNBOUNDED else None), (high if high < _UNBOUNDED else None)


def describe(procedure: type[DeviceProcedure]) -> list[dict[str, Any]]:
    """Return the parameters as JSON data: name, unit, default, low, high, choices, doc."""
    entries = []
    for name, parameter in parameters_of(procedure).items():
        low, high = bounds(parameter)
        choices = list(parameter.choices) if isinstance(parameter, ListParameter) else None
        entries.append(
            {
                "name": name,
                "unit": getattr(parameter, "units", None) or "",
                "default": parameter.default,
                "low": low,
                "high": high,
                "choices": choices,
                "doc": parameter.description or parameter.name,
            }
        )
    return entries
