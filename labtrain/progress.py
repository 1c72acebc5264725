"""How long work tells somebody how far it is; the command line draws the bar."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Progress(ABC):
    """Receives news from long work."""

    @abstractmethod
    def start(self, label: str, total: int) -> None:
        """Begin a piece of work of ``total`` steps."""

    @abstractmethod
    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say that ``steps`` more are done; ``note`` is the last value of interest."""

    def row(self, record: Mapping[str, Any]) -> None:  # noqa: B027 - optional
        """Say that a row was recorded; for whoever draws it."""

    def stopping(self) -> bool:
        """Whether somebody has asked the work to stop."""
        return False


class SilentProgress(Progress):
    """Says nothing."""

    def start(self, label: str, total: int) -> None:
        """Say nothing."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say nothing."""
