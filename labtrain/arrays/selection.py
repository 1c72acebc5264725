"""Views over some devices of an array."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import UsageError


def checked_indices(indices: Sequence[int], count: int, array: str) -> NDArray[np.intp]:
    """Return the indices as an array.

    Raises
    ------
    UsageError
        For an index outside 0 to ``count - 1``, or one given twice: a device has one counter.
    """
    chosen = np.asarray(indices, dtype=np.intp).reshape(-1)
    outside = chosen[(chosen < 0) | (chosen >= count)]
    if outside.size:
        raise UsageError(
            f"{array} has no device {outside[0]}",
            remedy=f"choose among 0 to {count - 1}",
        )
    if np.unique(chosen).size != chosen.size:
        raise UsageError(f"{array}: a device is chosen twice", remedy="name each device once")
    return chosen


class Selectable:
    """An array that can be viewed in part.

    A view shares everything with its array, the devices' counters above all, but which of them it shows.
    """

    name: str

    @abstractmethod
    def __len__(self) -> int:
        """The number of devices."""

    def select(self, indices: Sequence[int]) -> Self:
        """A view over some of the devices, in that order."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._narrow(checked_indices(indices, len(self), self.name))
        return view

    @abstractmethod
    def _narrow(self, chosen: NDArray[np.intp]) -> None:
        """Show only these of the devices that are shown, on a new view that nobody has yet."""


class SomeDevices(Selectable):
    """Shows devices by their indices."""

    _indices: NDArray[np.intp]

    def __len__(self) -> int:
        """The number of devices."""
        return len(self._indices)

    def _narrow(self, chosen: NDArray[np.intp]) -> None:
        self._indices = self._indices[chosen]


class ListedDevices(Selectable):
    """Shows devices that stand in a list."""

    _devices: tuple[Any, ...]

    def __len__(self) -> int:
        """The number of devices."""
        return len(self._devices)

    def _narrow(self, chosen: NDArray[np.intp]) -> None:
        self._devices = tuple(self._devices[index] for index in chosen)
