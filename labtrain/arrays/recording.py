"""Notes an array's exchanges in a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from labtrain.arrays.plain import as_numpy
from labtrain.session.sink import Sink


class ExchangeRecorder:
    """One array's place in a sink.

    Parameters
    ----------
    sink, name
        Where exchanges go, and under which array's name.
    properties
        What a replay must know of the array, noted at once as the exchange ``describe``.
    """

    def __init__(self, sink: Sink, name: str, properties: Mapping[str, float]) -> None:
        self._sink = sink
        self._name = name
        sink.exchange(name, "describe", {}, {key: np.array([value]) for key, value in properties.items()})

    def note(self, verb: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        """Note one call, as NumPy arrays."""
        asked = {name: as_numpy(value) for name, value in inputs.items()}
        answered = {name: as_numpy(value) for name, value in outputs.items()}
        self._sink.exchange(self._name, verb, asked, answered)
