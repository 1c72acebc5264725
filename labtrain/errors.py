"""Every way labtrain refuses or fails, each with its exit code and its remedy.

An error says what was given, what is allowed, and what to do about it. The
command line turns the fields below into one message or one JSON object.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class LabtrainError(Exception):
    """The base of every error that labtrain raises on purpose.

    Parameters
    ----------
    message
        What was given and what is allowed.
    remedy
        What the reader can do about it.
    file, line, key
        Where the cause stands, when it stands in a file.
    """

    kind = "error"
    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        file: str | Path | None = None,
        line: int | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.file = None if file is None else str(file)
        self.line = line
        self.key = key

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes whole: an error's keywords are not in its ``args``."""
        return _arrived, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        """One message: place, cause, remedy."""
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
        if self.key is not None:
            place += f" [{self.key}]"
        head = f"{place.strip()}: {self.message}" if place.strip() else self.message
        return f"{head} ({self.remedy})" if self.remedy else head


def _arrived(kind: type[LabtrainError], args: tuple[Any, ...], state: dict[str, Any]) -> LabtrainError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(LabtrainError):
    """A bad argument, setting, bench file or data file (exit 2)."""

    kind = "usage"
    exit_code = 2


class BenchFileError(UsageError):
    """A bench file that cannot be used; ``problems`` lists all of them."""

    kind = "bench-file"

    def __init__(self, problems: list[LabtrainError], file: str | Path | None = None) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
        super().__init__(
            first.message + more,
            remedy=first.remedy,
            file=first.file or file,
            line=first.line,
            key=first.key,
        )
        self.problems = problems


class DataError(UsageError):
    """A data file, session file or data set that cannot be used."""

    kind = "data"


class CheckFailed(LabtrainError):
    """It ran, but a check failed: device out of specification, replay mismatch (exit 1)."""

    kind = "check-failed"
    exit_code = 1


class ReplayMismatch(CheckFailed):
    """The re-run asked or produced something other than the record holds.

    ``first`` describes the first mismatch as plain data (strings and numbers).
    """

    kind = "replay-mismatch"

    def __init__(self, message: str, *, first: dict[str, object], remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.first = first


class InstrumentError(LabtrainError):
    """An instrument failed, does not answer, or is held by another program (exit 3)."""

    kind = "instrument"
    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        instrument: str | None = None,
        resource: str | None = None,
        command: str | None = None,
        remedy: str | None = None,
    ) -> None:
        where = f"{instrument or 'instrument'}" + (f" at {resource}" if resource else "")
        what = f" (command {command!r})" if command else ""
        super().__init__(f"{where}: {message}{what}", remedy=remedy, key=instrument)
        self.instrument = instrument
        self.resource = resource
        self.command = command


class InstrumentTimeout(InstrumentError):
    """No answer within the time-out."""

    kind = "timeout"


class ConnectionLost(InstrumentError):
    """The other side closed the link."""

    kind = "connection-lost"


class InstrumentReported(InstrumentError):
    """The instrument put an error into its own queue."""

    kind = "instrument-reported"


class InstrumentStateChanged(InstrumentError):
    """The instrument is no longer set as labtrain left it (power cycle, front panel)."""

    kind = "instrument-state"


class BenchHeld(InstrumentError):
    """Another program holds the instrument."""

    kind = "held"


class LimitExceeded(LabtrainError):
    """A safety limit refused it; nothing was sent (exit 4)."""

    kind = "limit"
    exit_code = 4


class RecordError(LabtrainError):
    """The record cannot be written (disk full, unwritable); the run must stop."""

    kind = "record"
    exit_code = 3


class ProcessLost(LabtrainError):
    """Another process of a training that several share has ended or hangs (exit 3)."""

    kind = "process-lost"
    exit_code = 3


class Terminated(BaseException):
    """A termination request (SIGTERM, console close), raised in the main thread (exit 143)."""

    exit_code = 143
