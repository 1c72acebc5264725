"""A sensor of the bench: reads what surrounds the sample, and changes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

from labtrain.bus import Port
from labtrain.clock import Clock
from labtrain.errors import InstrumentError, UsageError
from labtrain.naming import nearest
from labtrain.roles.role import Role


@final
class Sensor(Role):
    """A gaussmeter, a thermometer: an instrument some of whose properties are numbers to be recorded.

    Parameters
    ----------
    driver
        The PyMeasure instrument; private from here on.
    port, clock, alias
        As for every role.
    properties
        Name of each of the driver's properties that may be read -> its unit (``DriverSpec.properties``).
    """

    __slots__ = ("_driver", "_properties")

    def __init__(
        self, driver: Any, port: Port, clock: Clock, alias: str, properties: Mapping[str, str]
    ) -> None:
        super().__init__(port, clock, alias, "")
        self._driver, self._properties = driver, dict(properties)

    @property
    def properties(self) -> Mapping[str, str]:
        """What can be read, with units."""
        return dict(self._properties)

    def read(self, name: str) -> float:
        """Read one property, in its unit.

        Raises
        ------
        UsageError
            For a property that the driver does not offer.
        InstrumentError
            For a reading that is no finite number.
        """
        if name not in self._properties:
            remedy = nearest(name, self._properties)
            raise UsageError(f"{self.name} has no property {name!r}", remedy=remedy, key=self.name)
        with self._call:
            value = float(getattr(self._driver, name))
        if not math.isfinite(value):
            remedy = "is its probe connected, and in range?"
            raise InstrumentError(f"reads {value!r} as {name}", instrument=self._alias, remedy=remedy)
        return value
