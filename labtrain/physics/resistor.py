"""A resistor, with the slow drift that a reference resistor is there to show is small."""

from __future__ import annotations

from typing import Any

from labtrain.physics.namespaces import Parameters

_HOUR = 3600.0


def resistance(parameters: Parameters, seconds: Any = 0.0) -> Any:
    """Return the resistance in ohm after ``seconds``.

    Parameters
    ----------
    parameters
        ``resistance`` (ohm) and ``drift_per_hour`` (relative).
    seconds
        Time since the start.
    """
    return parameters["resistance"] * (1.0 + parameters["drift_per_hour"] * (seconds / _HOUR))
