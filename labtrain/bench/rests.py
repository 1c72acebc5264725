"""The moments of a run at which no route is closed: only there may it be taken up on instruments."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import final


@final
class Rests:
    """Counts the moments at rest, each just before a route is asked for, in the order of the run.

    The count depends on what the run does and on nothing else, so that a replay counts alike.

    Parameters
    ----------
    fresh
        At which of them the bench forgets all that it believes of its instruments.

    Attributes
    ----------
    count
        How many there have been.
    disturbed
        Whether a route since the last one was left by an error or an interrupt.
    """

    def __init__(self, fresh: Collection[int] = ()) -> None:
        self.count = 0
        self.disturbed = False
        self._fresh = frozenset(fresh)
        self._forget: Callable[[], None] = lambda: None

    @property
    def next_undisturbed(self) -> int:
        """The moment from which a run that ended here is to be done again."""
        return self.count - 1 if self.disturbed else self.count

    def bind(self, forget: Callable[[], None]) -> None:
        """Say what forgets."""
        self._forget = forget

    def here(self) -> None:
        """Note that the bench is at rest, before anything is sent."""
        self.disturbed = False
        number, self.count = self.count, self.count + 1
        if number in self._fresh:
            self._forget()
