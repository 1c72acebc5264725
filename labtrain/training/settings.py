"""A recipe's settings: text in, checked values out.

A recipe declares each setting once; the command line, ``recipe list`` and
Python callers all read it from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labtrain.errors import UsageError
from labtrain.naming import nearest
from labtrain.units import format_quantity, parse_quantity, registry


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a recipe.

    Attributes
    ----------
    name
        In snake_case, as typed after ``--set``.
    kind
        ``"quantity"`` (a float in ``unit``), ``"integer"``, ``"layers"`` (a tuple of
        integers, written ``8,8`` or ``8x8``), ``"choice"`` (one of ``choices``) or ``"file"`` (a path).
    default
        Already parsed; None where the recipe finds the value itself.
    doc
        One sentence.
    unit
        An SI unit's name for a quantity.
    low, high
        The range allowed, both ends included (of each layer for ``"layers"``).
    """

    name: str
    kind: str
    default: Any
    doc: str
    unit: str = "dimensionless"
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()

    def read(self, given: Any) -> Any:
        """Turn ``given`` (text, or an already parsed value) into a checked value.

        Raises
        ------
        UsageError
            Naming the setting, what was given and what is allowed.
        """
        if given is None and self.default is None:
            return None
        value = self._parse(given)
        members: Sequence[Any] = value if self.kind == "layers" else (value,)
        for member in members:
            if self.kind not in ("choice", "file") and not self.low <= member <= self.high:
                raise self._refusal(given)
        return value

    def _parse(self, given: Any) -> Any:
        if self.kind == "choice":
            if str(given) in self.choices:
                return str(given)
            raise self._refusal(given)
        if self.kind == "file":
            return str(given)
        if self.kind == "quantity":
            return self._quantity(given)
        if self.kind == "integer":
            return self._integer(given)
        parts = str(given).replace("x", ",").split(",") if isinstance(given, str) else given
        layers = tuple(
            self._integer(part) for part in (parts if isinstance(parts, (list, tuple)) else [parts])
        )
        if not layers:
            raise self._refusal(given)
        return layers

    def _quantity(self, given: Any) -> float:
        if isinstance(given, (int, float)) and not isinstance(given, bool):
            return float(given)
        try:
            return parse_quantity(str(given), self.unit, bare_is_si=True)
        except UsageError as error:
            raise UsageError(f"{self.name}: {error.message}", remedy=self.allowed(), key=self.name) from None

    def _integer(self, given: Any) -> int:
        try:
            number = float(given)
        except (TypeError, ValueError):
            raise self._refusal(given) from None
        if isinstance(given, bool) or not number.is_integer():
            raise self._refusal(given)
        return int(number)

    def allowed(self) -> str:
        """Say in words what is allowed."""
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.kind == "file":
            return "the path of a file"
        if self.kind == "quantity":
            return f"a quantity in {self.unit} from {self._show(self.low)} to {self._show(self.high)}"
        what = "integers such as 8,8, each" if self.kind == "layers" else "an integer"
        return f"{what} from {self.low:g} to {self.high:g}"

    def _show(self, value: float) -> str:
        if self.unit == "dimensionless":
            return f"{value:g}"
        return format_quantity(value, f"{registry().Unit(self.unit):~}")

    def _refusal(self, given: Any) -> UsageError:
        return UsageError(
            f"setting {self.name}: {given!r} is not allowed", remedy=f"give {self.allowed()}", key=self.name
        )

    def describe(self) -> dict[str, Any]:
        """Plain data for ``recipe list``."""
        default = list(self.default) if isinstance(self.default, tuple) else self.default
        finite = {key: x for key, x in (("low", self.low), ("high", self.high)) if abs(x) != float("inf")}
        more = {"choices": list(self.choices)} if self.choices else {}
        unit = "" if self.unit == "dimensionless" else f"{registry().Unit(self.unit):~}"
        return (
            {"name": self.name, "kind": self.kind, "unit": unit, "default": default, "doc": self.doc}
            | finite
            | more
        )


def read_settings(declared: Sequence[Setting], given: Mapping[str, Any], *, recipe: str) -> dict[str, Any]:
    """Read all settings of a recipe; those not given take their defaults.

    Raises
    ------
    UsageError
        For an unknown name (with the nearest ones) or a value out of range.
    """
    known = {setting.name: setting for setting in declared}
    for name in given:
        if name not in known:
            raise UsageError(
                f"recipe {recipe} has no setting {name!r}",
                remedy=nearest(name, known),
                key=name,
            )
    return {name: setting.read(given.get(name, setting.default)) for name, setting in known.items()}
