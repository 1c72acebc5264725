"""What a run writes to: the one seam between running code and the record.

A :class:`labtrain.session.Session` journals, a replay compares, and
:class:`NullSink` (no record asked for) forgets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from labtrain.session.ahead import Ahead


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a row stream.

    Attributes
    ----------
    dtype
        A NumPy dtype name: ``"float64"``, ``"int64"``, ``"uint32"``, ``"bool"``, or ``"str"``.
    unit
        A unit that pint reads (``"V"``, ``"ohm"``, ``""`` for none).
    long_name
        For axis labels.
    """

    dtype: str = "float64"
    unit: str = ""
    long_name: str = ""


class RowStream(ABC):
    """An open row stream."""

    @abstractmethod
    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row; every declared column must be there, and no other."""


class Sink(ABC):
    """Where messages, rows, exchanges, arrays and documents go, under one sequence number.

    A call has been acknowledged when it returns: for a session, the operating
    system then has the bytes.
    """

    @abstractmethod
    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        """Note a message to ``port`` (an alias) before it is sent; return its sequence number."""

    @abstractmethod
    def reply(self, port: str, seq: int, payload: bytes, status: str, t_ns: int) -> None:
        """Note the answer to command ``seq``; status ``"ok"``, ``"timeout"``, ``"lost"`` or ``"error"``."""

    @abstractmethod
    def stream(self, name: str, columns: Mapping[str, Column], attributes: Mapping[str, Any]) -> RowStream:
        """Open a row stream such as ``"runs/0001_iv-curve/points"`` or ``"train/iris-afd/steps"``."""

    @abstractmethod
    def exchange(
        self, array: str, verb: str, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]
    ) -> None:
        """Note one device-level call of an array."""

    @abstractmethod
    def array(self, name: str, value: NDArray[Any], unit: str = "") -> None:
        """Note a named array, such as ``"train/iris-afd/checkpoints/120/0.weight"``."""

    @abstractmethod
    def document(self, name: str, content: Mapping[str, Any]) -> None:
        """Note a JSON document, such as ``"analysis/pair-twins"``."""

    @abstractmethod
    def barrier(self) -> None:
        """Return when all that was acknowledged would survive a power cut."""

    def stopped(self) -> None:  # noqa: B027 - optional
        """Mark that somebody asked the run to stop just now: what is noted from here on is its unwinding."""

    def rows_noted(self) -> dict[str, int]:
        """Return how many rows each open stream has; nothing where none are kept."""
        return {}

    def checkpoint_ahead(self, run: str, steps: str = "") -> Ahead | None:
        """Return the newest state of ``run`` from which a resumed run may go on; every other run has none.

        Parameters
        ----------
        run, steps
            Such as ``"train/iris-afd"``, and how the names of its states in question begin: ``"fold0-"``.
        """
        return None


class _NullRows(RowStream):
    def append(self, row: Mapping[str, Any]) -> None:
        """Forget."""


class NullSink(Sink):
    """Keeps nothing: for a bench opened without a session."""

    def __init__(self) -> None:
        self._seq = 0

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        """Count only."""
        self._seq += 1
        return self._seq

    def reply(self, port: str, seq: int, payload: bytes, status: str, t_ns: int) -> None:
        """Forget."""

    def stream(self, name: str, columns: Mapping[str, Column], attributes: Mapping[str, Any]) -> RowStream:
        """Return a stream that forgets."""
        return _NullRows()

    def exchange(
        self, array: str, verb: str, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]
    ) -> None:
        """Forget."""

    def array(self, name: str, value: NDArray[np.generic], unit: str = "") -> None:
        """Forget."""

    def document(self, name: str, content: Mapping[str, Any]) -> None:
        """Forget."""

    def barrier(self) -> None:
        """Nothing to make safe."""
