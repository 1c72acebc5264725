"""Messages and clock readings of a recording, given back in their order."""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import NoReturn, final

from labtrain.clock import Clock
from labtrain.errors import ConnectionLost, InstrumentError, InstrumentTimeout
from labtrain.links.link import Link
from labtrain.session.mismatch import Verdict, refuse_command, refuse_value, show
from labtrain.session.nearness import Nearness
from labtrain.session.transactions import Transactions

FAILED_SENDING = b"send"
"""The payload of a reply that notes a failure while the command was being sent."""

CLOCK_PORT = "clock"
_NANOSECONDS = struct.Struct("<q")
_ERRORS: dict[str, tuple[type[InstrumentError], str]] = {
    "timeout": (InstrumentTimeout, "no answer within the time-out"),
    "lost": (ConnectionLost, "the connection was lost"),
    "error": (InstrumentError, "the instrument failed"),
}


@final
class Tape:
    """The messages of one port in their order, and how far the re-run has come.

    Attributes
    ----------
    commands, seqs, answers
        What was sent, its sequence number, and (status, reply).
    end
        How many of them are compared: those behind were sent while an interrupted run unwound.
    position, replied
        How many commands came, and how many of them were answered, in the re-run.
    seq, answer
        Of the command that came last.
    """

    __slots__ = (
        "_near",
        "_verdict",
        "answer",
        "answers",
        "commands",
        "end",
        "port",
        "position",
        "replied",
        "seq",
        "seqs",
    )

    def __init__(
        self, port: str, messages: Transactions, verdict: Verdict, near: Nearness, until: int | None = None
    ) -> None:
        self.port = port
        self._near = near
        self.commands = messages.commands()
        self.seqs: list[int] = messages.seq.tolist()
        self.answers: list[tuple[str, bytes]] = list(
            zip(messages.status.tolist(), messages.replies(), strict=True)
        )
        self.end = len(self.seqs) if until is None else bisect_right(self.seqs, until)
        self.position = 0
        self.replied = 0
        self.seq = -1
        self.answer: tuple[str, bytes] = ("none", b"")
        self._verdict = verdict

    @property
    def unplayed(self) -> int:
        """How many of the messages to be compared did not come."""
        return max(0, self.end - self.position)

    def unwind(self, payload: bytes) -> int:
        """Go to the message in the record of the unwinding; one that does not stand there times out."""
        try:
            place = self.commands.index(payload, max(self.position, self.end))
        except ValueError:
            self.seq, self.answer = -1, ("timeout", b"")
        else:
            self.position = place + 1
            self.seq, self.answer = self.seqs[place], self.answers[place]
        return self.seq

    def is_near(self, got: bytes) -> bool:
        """Whether ``got`` is within the tolerance of the next command."""
        return self._near.messages(
            self.commands[self.position], got, f"message {self.position} to {self.port!r}"
        )

    def refuse(self, got: bytes) -> NoReturn:
        """Raise the mismatch of the next command."""
        compared = self.commands[: self.end]
        refuse_command(self._verdict, self.port, self.position, compared, self.seqs, got)

    def refuse_reply(self, seq: int, payload: bytes, status: str) -> None:
        """Raise the mismatch of an answer, or the end where the run was interrupted before one came."""
        if self._verdict.ended:
            return
        self._verdict.check()
        wanted, reply = self.answer
        if wanted == "none":
            self._verdict.check_end()
        expected, got = f"{wanted}: {show(reply)}", f"{status}: {show(payload)}"
        refuse_value(self._verdict, "reply", self.port, self.position - 1, f"sequence {seq}", expected, got)


@final
class ReplayLink(Link):
    """Answers from the record; time-outs and lost connections come back as the same exceptions."""

    def __init__(self, alias: str, tape: Tape, verdict: Verdict) -> None:
        self.resource = f"recording of {alias}"
        self._alias = alias
        self._tape = tape
        self._verdict = verdict

    def send(self, message: bytes) -> None:
        """Accept a message; the sink has compared it already.

        Raises
        ------
        ReplayMismatch
            After any mismatch.
        ConnectionLost, InstrumentTimeout, InstrumentError
            As recorded.
        """
        if self._verdict.over:
            self._verdict.check()
        status, reply = self._tape.answer
        if reply == FAILED_SENDING and status in _ERRORS:
            raise self._failure(status, message)

    def receive(self) -> bytes:
        """Return the recorded reply to the last message, or raise what was recorded instead."""
        if self._verdict.over:
            self._verdict.check()
        status, reply = self._tape.answer
        if status == "ok":
            return reply
        if status in _ERRORS:
            raise self._failure(status, b"")
        self._verdict.check_end()
        refuse_value(
            self._verdict,
            "reply",
            self._alias,
            self._tape.position - 1,
            "",
            "none: the recorded run was stopped before a reply came",
            "a reply is asked for",
        )

    def clear(self) -> None:
        """Nothing waits in a record."""

    def close(self) -> None:
        """Nothing to close."""

    def _failure(self, status: str, message: bytes) -> InstrumentError:
        kind, text = _ERRORS[status]
        command = show(message) if message else None
        return kind(f"{text} (as recorded)", instrument=self._alias, resource=self.resource, command=command)


@final
class ReplayClock(Clock):
    """The recorded readings of the bench's clock, one after the other; time passes only in the record."""

    def __init__(self, tape: Tape | None, utc_ns: int) -> None:
        self._tape = tape
        self._utc_ns = utc_ns

    def now_ns(self) -> int:
        """Return the next recorded reading, or at the end the last; the sink uses it up."""
        if self._tape is None or not self._tape.answers:
            return 0
        place = min(self._tape.replied, len(self._tape.answers) - 1)
        reading = self._tape.answers[place][1]
        return int(_NANOSECONDS.unpack(reading)[0]) if len(reading) == _NANOSECONDS.size else 0

    def sleep(self, seconds: float) -> None:
        """Let no time pass."""

    def utc_ns(self) -> int:
        """Return the recorded UTC."""
        return self._utc_ns
