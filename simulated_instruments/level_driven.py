"""Devices whose state goes on by itself, under whatever level stands across their one terminal."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from simulated_instruments.devices import Branch, Device
from simulated_instruments.laws import Floats

_AN_INSTANT: Final = 1e-12


class LevelDriven(Device):
    """A two-terminal device that is moved by time and voltage.

    Its law asks :attr:`standing`: what the state is now, or while readings are taken, what each of
    them meets.

    Parameters
    ----------
    seconds
        The world's time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._last = seconds()
        self._met: Floats | None = None

    @abstractmethod
    def evolve(self, volts: float, seconds: float) -> None:
        """Let ``seconds`` pass at ``volts`` across the device."""

    @abstractmethod
    def present(self) -> float:
        """The state that the law stands for now."""

    @abstractmethod
    def averaged(self, volts: float, seconds: float) -> float:
        """The state that a reading over ``seconds`` meets; the next one of this device."""

    @property
    def standing(self) -> float | Floats:
        """One state, or one a reading."""
        return self.present() if self._met is None else self._met

    def held(self, branch: Branch, volts: float, seconds: float) -> None:
        """Pass the time since the last event: at no voltage, then ``seconds`` at ``volts``."""
        passed = self._passed()
        self._pass(0.0, passed - seconds)
        self._pass(volts, min(passed, seconds))

    def watched(self, branch: Branch, volts: Floats, seconds: float, dwell: float) -> None:
        """Pass the time level by level, noting what each reading meets."""
        passed = self._passed()
        before, each = (0.0, dwell) if dwell > 0 else (float(volts[0]), 0.0)
        self._pass(before, passed - each * len(volts))
        met = np.empty(len(volts))
        for index, level in enumerate(volts.tolist()):
            self._pass(level, each)
            met[index] = self.averaged(level, seconds)
        self._met = met

    def unwatched(self) -> None:
        """Stand for the present state again."""
        self._met = None

    def state_dict(self) -> dict[str, Any]:
        """Branches, and when the state was last brought up to date."""
        return super().state_dict() | {"last": self._last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        super().load_state_dict(state)
        self._last = float(state["last"])

    def _passed(self) -> float:
        now = self._seconds()
        passed, self._last = now - self._last, now
        return passed

    def _pass(self, volts: float, seconds: float) -> None:
        if seconds > _AN_INSTANT:
            self.evolve(volts, seconds)
