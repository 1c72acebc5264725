"""Quantities at the edges: text with a unit in, SI numbers inside.

Inside labtrain every number is SI (volts, amperes, seconds, ohms, siemens).
Text from a bench file must carry a unit; a bare number is accepted only where
the caller says so (``--set`` on the command line).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from labtrain.errors import UsageError


@lru_cache(maxsize=1)
def registry() -> Any:
    """The one pint registry (PyMeasure's, so that quantities mix with its Parameters)."""
    from pymeasure.units import ureg

    return ureg


@lru_cache(maxsize=4096)
def parse_quantity(text: str, unit: str, *, bare_is_si: bool = False) -> float:
    """Read ``text`` as a quantity and return it in ``unit`` (an SI unit's name).

    Parameters
    ----------
    text
        For instance ``"0.5 V"``, ``"60 uA"``, ``"20ns"``.
    unit
        The SI unit wanted: ``"volt"``, ``"ampere"``, ``"second"``, ``"ohm"``,
        ``"dimensionless"``, ...
    bare_is_si
        Whether a number without a unit is taken as SI.

    Raises
    ------
    UsageError
        When it is no quantity, has no unit or the wrong dimension, or is not finite.
    """
    import pint

    example = (
        f'for instance "1 {registry().Unit(unit):~}"' if unit != "dimensionless" else 'for instance "0.05"'
    )
    try:
        value = float(text)
    except ValueError:
        pass
    else:
        if unit != "dimensionless" and not bare_is_si:
            raise UsageError(f"{text!r} has no unit; a quantity in {unit} is needed", remedy=example)
        return _finite(value, text)
    try:
        quantity = registry().Quantity(text)
        # a prefix is a product, one unit in the last place off: "60 uA" must be the number 60e-6
        value = float(f"{quantity.to(unit).magnitude:.15g}")
    except pint.DimensionalityError:
        raise UsageError(f"{text!r} is not a quantity in {unit}", remedy=example) from None
    except Exception:  # pint raises many kinds (tokenizer, undefined unit, attribute) for unreadable text
        raise UsageError(f"{text!r} cannot be read as a quantity in {unit}", remedy=example) from None
    return _finite(value, text)


def _finite(value: float, text: str) -> float:
    if not math.isfinite(value):
        raise UsageError(f"{text!r} is not a finite number")
    return value


def format_quantity(value: float, unit: str) -> str:
    """Write an SI value with an engineering prefix: ``format_quantity(6e-5, "A")`` is ``"60 uA"``."""
    if value == 0 or not unit or not math.isfinite(value):
        return f"{value:g} {unit}".rstrip()
    prefixes = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
    exponent = max(-15, min(9, 3 * math.floor(math.log10(abs(value)) / 3 + 1e-12)))
    return f"{value / 10.0**exponent:.6g} {prefixes[exponent]}{unit}"
