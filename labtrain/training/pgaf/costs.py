"""What one operation costs: a stated table, or one's own from a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from labtrain.errors import DataError, UsageError
from labtrain.naming import nearest
from labtrain.training.settings import Setting
from labtrain.units import parse_quantity


@dataclass(frozen=True, slots=True)
class EnergyTable:
    """Joules of one operation.

    Attributes
    ----------
    mac
        Multiply and add of 32-bit floats in 45 nm: 3.7 + 0.9 pJ (Horowitz, ISSCC 2014).
    reset, pulse
        A pulse on the line of an SOT-MTJ: 0.896 V across 776 ohm for 0.75 ns, V^2 t / R.
    read
        0.1 V across 4.9 kohm for 5 ns; an attempt reads twice, to verify the reset and to see the outcome.
    """

    mac: float = 4.6e-12
    reset: float = 0.78e-12
    pulse: float = 0.78e-12
    read: float = 1.0e-14

    @property
    def attempt(self) -> float:
        """Reset, verify, pulse, read."""
        return self.reset + self.pulse + 2 * self.read

    def describe(self) -> dict[str, float]:
        """Plain data, to be kept with a result."""
        return asdict(self)


COSTS = Setting(
    "costs", "file", None, "a TOML file of joules: mac, reset, pulse, read; left out: the stated table"
)


def energy_table(file: str | None) -> EnergyTable:
    """Return the stated table, with the costs that ``file`` gives in place of its own.

    Raises
    ------
    DataError
        For a file that cannot be read, an unknown cost, or one that is no energy.
    """
    if file is None:
        return EnergyTable()
    path = Path(file)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"cannot be read as a table of costs: {error}", remedy=_EXAMPLE, file=path) from None
    return EnergyTable(**_checked(given, path))


_EXAMPLE = 'write lines such as mac = "4.6 pJ"'


def _checked(given: Mapping[str, Any], path: Path) -> dict[str, float]:
    known = [field.name for field in fields(EnergyTable)]
    costs = {}
    for name, value in given.items():
        if name not in known:
            raise DataError(f"{name!r} is no cost", remedy=nearest(name, known), file=path, key=name)
        try:
            costs[name] = parse_quantity(str(value), "joule")
        except UsageError as error:
            raise DataError(f"{name}: {error.message}", remedy=_EXAMPLE, file=path, key=name) from None
        if not 0 <= costs[name] < float("inf"):
            raise DataError(f"{name} = {value} cannot be", remedy="give 0 J or more", file=path, key=name)
    return costs
