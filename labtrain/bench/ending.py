"""How a bench ends: safe state first, everything let go of, and what went wrong told last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from labtrain.bench.connection import Connection, failures
from labtrain.bench.console_windows import ConsoleClose
from labtrain.bench.signals import TerminationAsException
from labtrain.errors import InstrumentError, InstrumentStateChanged


@final
class Ending:
    """Catches requests to end from the moment it is made, until :meth:`end` has ended the bench."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._signals = TerminationAsException()
        self._console = ConsoleClose()

    def end(self, error: BaseException | None) -> None:
        """Bring the bench to its safe state, let go of it, and tell what could not be done.

        Parameters
        ----------
        error
            Why the bench ends early; what went wrong at the end is added to it as a note.

        Raises
        ------
        InstrumentError
            Where an instrument could not be switched off.
        InstrumentStateChanged
            Where one has lost its power, and nobody has noticed.
        """
        failed: dict[str, str] = {}
        losses: list[str] = []
        try:
            failed = failures(self._connection.safe_state())
            losses = [] if failed or error is not None else self._connection.power_losses()
        finally:
            self._connection.close()
            self.let_go()
        _tell_failures(failed, error)
        _tell_losses(losses)

    def let_go(self) -> None:
        """Leave requests to end to the program; twice is harmless."""
        self._signals.uninstall()
        self._console.uninstall()


def _tell_failures(failed: Mapping[str, str], error: BaseException | None) -> None:
    if not failed:
        return
    message = "not brought to the safe state: " + "; ".join(f"{alias} {how}" for alias, how in failed.items())
    if error is None:
        raise InstrumentError(message, instrument="bench", remedy="switch it off by hand, now")
    error.add_note(message)


def _tell_losses(aliases: list[str]) -> None:
    if aliases:
        raise InstrumentStateChanged(
            "its power has been off while the bench was open",
            instrument=", ".join(aliases),
            remedy="readings since are not what they seem; see the record for the first that is strange",
        )
