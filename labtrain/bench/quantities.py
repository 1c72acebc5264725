"""Types of the bench file's values: quantities with units, resistances' ranges, ratios."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from labtrain.errors import LabtrainError
from labtrain.units import parse_quantity


def refuse(message: str, remedy: str = "") -> PydanticCustomError:
    """Make the error that pydantic collects, carrying a remedy."""
    return PydanticCustomError("labtrain", message, {"remedy": remedy})


def quantity(value: Any, unit: str) -> float:
    """Read one value of the bench file as ``unit``; a number is read only where ``unit`` is dimensionless.

    Raises
    ------
    PydanticCustomError
        Saying what was given, which unit is needed, and an example.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise refuse(f"{value!r} is not a quantity in {unit}", 'write it as text with a unit, such as "1 mV"')
    try:
        return parse_quantity(str(value), unit)
    except LabtrainError as error:
        raise refuse(error.message, error.remedy or "") from None


def in_unit(unit: str, *, low: float | None = None, high: float | None = None) -> BeforeValidator:
    """Make a validator for quantities in ``unit`` between ``low`` and ``high`` (inclusive)."""

    def validate(value: Any) -> float:
        number = quantity(value, unit)
        if low is not None and not number >= low:
            raise refuse(f"{value!r} is below the smallest allowed value, {low:g} {unit}")
        if high is not None and not number <= high:
            raise refuse(f"{value!r} is above the largest allowed value, {high:g} {unit}")
        return number

    return BeforeValidator(validate)


def _range_of_ohms(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise refuse(f"{value!r} is not a range", 'write two resistances, such as ["1 kohm", "20 kohm"]')
    low, high = (quantity(end, "ohm") for end in value)
    if not 0 < low <= high:
        raise refuse(f"the range {value!r} is empty or not positive", "write the smaller resistance first")
    return low, high


Volts = Annotated[float, in_unit("volt", low=0.0)]
Amperes = Annotated[float, in_unit("ampere", low=0.0)]
Watts = Annotated[float, in_unit("watt", low=0.0)]
Joules = Annotated[float, in_unit("joule", low=0.0)]
Seconds = Annotated[float, in_unit("second", low=0.0)]
Ohms = Annotated[float, in_unit("ohm", low=0.0)]
Siemens = Annotated[float, in_unit("siemens", low=0.0)]
Hertz = Annotated[float, in_unit("hertz", low=0.0)]
VoltsPerSecond = Annotated[float, in_unit("volt / second", low=0.0)]
Fraction = Annotated[float, in_unit("dimensionless", low=0.0, high=1.0)]
Gain = Annotated[float, in_unit("dimensionless", low=1e-6, high=1.0)]
Count = Annotated[float, in_unit("dimensionless", low=0.0)]
OhmsRange = Annotated[tuple[float, float], BeforeValidator(_range_of_ohms)]
