"""What an array knows of its cells, kept in the namespace and on the device that asks.

An array on an accelerator computes there: parameters are copied to it once, and states and
counters stay there from one call to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.plain import as_numpy
from labtrain.errors import UsageError
from labtrain.physics.namespaces import namespace

Home = tuple[str, str]


def home_of(model: Any) -> Home:
    """Name the namespace and the device of an array."""
    return namespace(model).__name__, str(array_api_compat.device(model))


@final
class CellState:
    """States and counters of every cell of an array; its views share one.

    Parameters
    ----------
    name
        The array's, for messages.
    columns
        Name -> one value a cell, at the start.
    """

    def __init__(self, name: str, columns: Mapping[str, NDArray[Any]]) -> None:
        self._name = name
        self._columns: dict[str, Any] = dict(columns)
        self._home = home_of(np.empty(0))

    def at(self, model: Any) -> dict[str, Any]:
        """Return the columns where ``model`` lives, to be read and written in place."""
        if (home := home_of(model)) != self._home:
            xp, device = namespace(model), array_api_compat.device(model)
            plain = {name: as_numpy(column).copy() for name, column in self._columns.items()}
            self._columns = {name: xp.asarray(column, device=device) for name, column in plain.items()}
            self._home = home
        return self._columns

    def anywhere(self) -> dict[str, Any]:
        """Return the columns where they were last used."""
        return self._columns

    def total(self, column: str) -> int:
        """Return the sum of a counter over all cells."""
        return int(self._columns[column].sum())

    def state_dict(self) -> dict[str, Any]:
        """Return plain lists, nested as the columns are."""
        return {name: as_numpy(column).tolist() for name, column in self._columns.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back.

        Raises
        ------
        UsageError
            For the state of an array of another size; nothing is taken over then.
        """
        columns = self.at(np.empty(0))
        taken = {name: np.asarray(state[name], dtype=column.dtype) for name, column in columns.items()}
        for name, column in columns.items():
            if taken[name].shape != column.shape:
                raise UsageError(
                    f"{self._name}: a state of shape {taken[name].shape} does not fit {column.shape}",
                    remedy="load it into an array of the same population",
                )
        for name, column in columns.items():
            column[...] = taken[name]


class WithMemory:
    """An array whose state is that of its cells, of views too."""

    _memory: CellState

    def state_dict(self) -> dict[str, Any]:
        """States and counters of every cell, of views too."""
        return self._memory.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back.

        Raises
        ------
        UsageError
            For the state of an array of another size; nothing is taken over then.
        """
        self._memory.load_state_dict(state)


@final
class PlacedCells:
    """Constants of some cells, copied once to every place that asks.

    Parameters
    ----------
    columns
        Name -> one value for each cell of the whole array, over the first axis.
    cells
        Those meant.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]], cells: NDArray[np.intp]) -> None:
        self._columns, self.cells = columns, cells
        self._kept: dict[Home, tuple[dict[str, Any], Any]] = {}

    def of(self, chosen: NDArray[np.intp]) -> PlacedCells:
        """Return some of these cells."""
        return PlacedCells(self._columns, self.cells[chosen])

    def at(self, model: Any) -> tuple[dict[str, Any], Any]:
        """Return the columns of the cells and their numbers (int64) where ``model`` lives."""
        home = home_of(model)
        if home not in self._kept:
            xp, device = namespace(model), array_api_compat.device(model)
            columns = {
                name: xp.asarray(column[self.cells], device=device) for name, column in self._columns.items()
            }
            self._kept[home] = columns, xp.asarray(self.cells.astype(np.int64), device=device)
        return self._kept[home]
