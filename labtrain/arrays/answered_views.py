"""What arrays have in common whose answers come from elsewhere: a recording, or a bench far away."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.plain import as_numpy
from labtrain.arrays.selection import SomeDevices


class Answers(ABC):
    """Where the answers of one array come from."""

    @abstractmethod
    def properties(self) -> Mapping[str, float]:
        """The array's own numbers: its size, its limits."""

    @abstractmethod
    def next(self, verb: str, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Answer one call; names are those of the recorded exchanges."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Whatever a resumed run needs."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""


class AnsweredArray:
    """Hands every call on and gives its answer back; no device is simulated here."""

    def __init__(self, name: str, answers: Answers) -> None:
        self.name = name
        self._answers = answers
        self._properties = answers.properties()

    def state_dict(self) -> dict[str, Any]:
        """The state of what answers."""
        return self._answers.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hand the state to what answers."""
        self._answers.load_state_dict(state)

    def _next(self, verb: str, inputs: Mapping[str, Any]) -> Mapping[str, NDArray[Any]]:
        return self._answers.next(verb, {name: as_numpy(value) for name, value in inputs.items()})


class AnsweredView(SomeDevices, AnsweredArray):
    """Some devices of an answered array; all views share what answers.

    Parameters
    ----------
    limits
        Names of the array's own numbers that become attributes.
    """

    def __init__(self, name: str, answers: Answers, limits: Sequence[str]) -> None:
        super().__init__(name, answers)
        for limit in limits:
            setattr(self, limit, float(self._properties[limit]))
        self._indices = np.arange(int(self._properties["count"]))

    def _next(self, verb: str, inputs: Mapping[str, Any]) -> Mapping[str, NDArray[Any]]:
        return super()._next(verb, {**inputs, "indices": self._indices.astype(np.int64)})
