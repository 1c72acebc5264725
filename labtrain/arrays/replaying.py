"""The exchanges of one array in a recording, played back in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError, ReplayMismatch


class RecordedExchange(Protocol):
    """One device-level call as the record holds it."""

    @property
    def seq(self) -> int:
        """Place in the whole record."""

    @property
    def verb(self) -> str:
        """The method that was called."""

    @property
    def inputs(self) -> Mapping[str, NDArray[Any]]:
        """What was asked."""

    @property
    def outputs(self) -> Mapping[str, NDArray[Any]]:
        """What was answered."""


class Recorded(Protocol):
    """The part of a recording that a replayed array needs."""

    def exchanges(self, array: str) -> Sequence[RecordedExchange]:
        """The exchanges of one array, in order."""


class ExchangeTape:
    """Compares each question with the record and gives its answer.

    Parameters
    ----------
    recording, name
        The record, and the array in it.
    tolerance
        Largest difference of a floating-point input, in its own unit; 0: bit for bit.
    """

    def __init__(self, recording: Recorded, name: str, tolerance: float = 0.0) -> None:
        self._exchanges = recording.exchanges(name)
        self._name = name
        self._tolerance = tolerance
        self.position = 0
        self.largest_deviation = 0.0
        if len(self._exchanges) == 0:
            raise DataError(
                f"the recording holds no exchanges of an array {name!r}",
                remedy="choose an array that the session recorded",
            )

    def next(self, verb: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the outputs of the next exchange, which must be this one.

        Raises
        ------
        ReplayMismatch
            Naming the exchange, what was recorded and what was asked.
        """
        if self.position >= len(self._exchanges):
            self._mismatch(None, verb, f"the recording ends after {len(self._exchanges)} exchanges")
        exchange = self._exchanges[self.position]
        if exchange.verb != verb:
            self._mismatch(exchange, verb, f"{exchange.verb!r} is recorded there")
        if set(exchange.inputs) != set(inputs):
            self._mismatch(exchange, verb, f"its inputs are {sorted(exchange.inputs)}")
        for name, asked in inputs.items():
            self._compare(exchange, verb, name, np.asarray(exchange.inputs[name]), asked)
        self.position += 1
        return dict(exchange.outputs)

    def _compare(
        self, exchange: RecordedExchange, verb: str, name: str, recorded: NDArray[Any], asked: NDArray[Any]
    ) -> None:
        if recorded.shape != asked.shape:
            self._mismatch(exchange, verb, f"{name} has shape {asked.shape}, recorded {recorded.shape}")
        if np.array_equal(recorded, asked):
            return
        place = tuple(int(i) for i in np.argwhere(recorded != asked)[0])
        deviation = float(np.max(np.abs(asked.astype(np.float64) - recorded.astype(np.float64))))
        if np.issubdtype(asked.dtype, np.floating) and deviation <= self._tolerance:
            self.largest_deviation = max(self.largest_deviation, deviation)
            return
        self._mismatch(
            exchange, verb, f"{name}{list(place)} is {asked[place]!r}, recorded {recorded[place]!r}"
        )

    def _mismatch(self, exchange: RecordedExchange | None, verb: str, reason: str) -> None:
        raise ReplayMismatch(
            f"{self._name}: exchange {self.position} ({verb}) is not the recorded one: {reason}",
            first={
                "array": self._name,
                "exchange": self.position,
                "seq": -1 if exchange is None else int(exchange.seq),
                "verb": verb,
                "reason": reason,
            },
            remedy="replay with the settings, seeds and versions of the recording",
        )
