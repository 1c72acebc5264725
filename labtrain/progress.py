"""How long work tells somebody how far it is; the command line draws the bar."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Progress(ABC):
    """Receives news from long work."""

    @abstractmethod
    def start(self, label: str, total: int) -> None:
        """Begin a piece of work of ``total`` steps."""

    @abstractmethod
    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say that ``steps`` more are done; ``note`` is the last value of interest."""


class SilentProgress(Progress):
    """Says nothing."""

    def start(self, label: str, total: int) -> None:
        """Say nothing."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say nothing."""
