"""One instrument on the bus: whole messages, under the bench's lock, noted before they are sent."""

from __future__ import annotations

from collections.abc import Iterable
from threading import get_ident
from typing import TYPE_CHECKING, final

from labtrain.bus.adapter import BusAdapter
from labtrain.bus.role_call import RoleCall
from labtrain.errors import ConnectionLost, InstrumentError, InstrumentTimeout
from labtrain.links.link import Link

if TYPE_CHECKING:
    from labtrain.bus.bus import Bus
    from labtrain.roles.spec import DriverSpec

LISTEN = b""
"""Noted as the command where something is read without a question of its own."""

NOT_SENT, NO_REPLY = b"send", b""
"""Noted as the reply of a message that failed: while it was sent, or while its answer was waited for."""

_POWER_ON = 128
"""Bit 7 of the standard event status register (IEEE 488.2)."""


@final
class Port:
    """What :meth:`Bus.attach` returns for one instrument.

    Attributes
    ----------
    alias
        The instrument's name in the bench file.
    adapter
        The PyMeasure adapter for its driver.
    incidents
        How many messages failed or were interrupted so far: after one, the instrument may not be set as
        its role believes.
    """

    __slots__ = (
        "_bus",
        "_call",
        "_dirty",
        "_link",
        "_power_asked",
        "_retired",
        "_seq",
        "_spec",
        "adapter",
        "alias",
        "incidents",
    )

    def __init__(self, bus: Bus, alias: str, link: Link, spec: DriverSpec) -> None:
        self.alias = alias
        self.adapter = BusAdapter(self, spec.termination)
        self._bus = bus
        self._link = link
        self._spec = spec
        self._call = RoleCall(bus, self)
        self._seq: int | None = None  # of the last command, while it has no answer
        self._dirty = False  # a reply may still come that nobody waits for
        self._retired = False
        self._power_asked = False  # until somebody has, the power-on bit is an old story
        self.incidents = 0

    def role_call(self) -> RoleCall:
        """Return a context for one whole public call of a role: locks the bench, opens the adapter.

        Raises
        ------
        InstrumentError
            From a port that another has replaced: what its role believes of the instrument is out of date.
        """
        if self._retired:
            raise InstrumentError(
                "this role is from before the run was taken up on the instruments; nothing was sent",
                instrument=self.alias,
                remedy="ask the bench for its instruments again wherever a route begins",
            )
        return self._call

    def renewed(self) -> Port:
        """Return a port in the place of this one, which is retired."""
        self._retired = True
        return Port(self._bus, self.alias, self._link, self._spec)

    def write(self, message: bytes) -> None:
        """Send one message from inside a role call, terminator included.

        Raises
        ------
        InstrumentError
            Outside a role call: nothing is sent.
        """
        if self._call.owner != get_ident():
            self._refuse(message)
        if self._dirty:
            self._resynchronise()
        before = self._bus.unanswered
        if before is not None and before is not self:
            before.synchronise()  # it talks last, and an instrument's writes have no order with another's
        self._send(message)

    def read(self) -> bytes:
        """Return the next reply, terminator included.

        Raises
        ------
        InstrumentTimeout, ConnectionLost
            Noted in the record as such; the port synchronises anew before its next message.
        """
        if self._call.owner != get_ident():
            self._refuse(b"")
        return self._receive()

    def not_understood(self, heard: bytes, error: BaseException | None) -> None:
        """Report a reply that no sense could be made of.

        Raises
        ------
        InstrumentError
            With the reply; what the instrument is set to is not known from here on.
        """
        self.incidents += 1
        raise InstrumentError(
            f"a reply of it cannot be understood ({error}); the last was {heard[:60]!r}",
            instrument=self.alias,
            remedy="a bad cable or plug, or another program talks to it",
        ) from error

    def clear(self) -> None:
        """Device clear where the link has one, and drop what waits; no message is sent."""
        with self._bus.lock:
            self._link.clear()
            self._bus.settled(self)
            self._seq = None

    def raw(self, lines: Iterable[bytes]) -> list[bytes]:
        """Send whole messages without a role, for the safe state; return the replies.

        Replies are read where the instrument answers every line and where the line is a question.
        A line that fails does not keep the others from being sent; the first failure is raised
        at the end.
        """
        replies: list[bytes] = []
        failure: InstrumentError | None = None
        with self._bus.lock:
            for line in lines:
                try:
                    if self._dirty:
                        self._link.clear()
                    self._send(line)
                    if self._spec.answers_every_line or line.rstrip().endswith(b"?"):
                        replies.append(self._receive())
                except InstrumentError as error:
                    failure = failure or error
        if failure is not None:
            raise failure
        return replies

    def was_off(self) -> bool:
        """Ask whether the instrument's power has been off since this was asked last; settings are then lost.

        The power-on bit of the standard event status register; False where an instrument has none.
        """
        question = self._spec.event_status
        if question is None:
            return False
        (reply,) = self.raw([question])
        self._power_asked = True
        try:
            return bool(int(float(reply)) & _POWER_ON)
        except ValueError as error:
            self.not_understood(reply, error)
            raise

    def lost_power(self) -> bool:
        """Ask whether the power has been off since it was first asked; False where nobody had asked."""
        asked = self._power_asked
        return self.was_off() and asked

    def close(self) -> None:
        """Close the link."""
        with self._bus.lock:
            self._bus.settled(self)
            self._link.close()

    def synchronise(self) -> None:
        """Wait until everything sent so far has been carried out (``DriverSpec.synchronise``)."""
        question = self._spec.synchronise
        if question is None:
            self._bus.settled(self)
            return
        if self._dirty:
            self._resynchronise()
            return
        self._send(question)
        self._receive()

    def _send(self, message: bytes) -> None:
        bus = self._bus
        # noted first: what was acknowledged as sent is never less than what was really sent
        self._seq = bus.sink.command(self.alias, message, bus.now_ns())
        try:
            self._link.send(message)
        except InstrumentError as error:
            self._failed(error, NOT_SENT)
            raise
        except BaseException:
            self._interrupted()
            raise
        bus.unanswered = self

    def _receive(self) -> bytes:
        bus = self._bus
        seq = self._seq
        if seq is None:
            seq = bus.sink.command(self.alias, LISTEN, bus.now_ns())
        self._seq = seq
        try:
            reply = self._link.receive()
        except InstrumentError as error:
            self._failed(error, NO_REPLY)
            raise
        except BaseException:  # an interrupt between question and answer: the answer is still to come
            self._interrupted()
            raise
        self._seq = None
        self._call.heard = reply
        bus.sink.reply(self.alias, seq, reply, "ok", bus.now_ns())
        if bus.unanswered is self:
            bus.unanswered = None
        return reply

    def _interrupted(self) -> None:
        self._dirty = True
        self.incidents += 1

    def _failed(self, error: InstrumentError, payload: bytes) -> None:
        kinds = {InstrumentTimeout: "timeout", ConnectionLost: "lost"}
        self._interrupted()
        seq, self._seq = self._seq, None
        self._bus.settled(self)  # it cannot be waited for; the next message clears it first
        if seq is not None:
            status = kinds.get(type(error), "error")
            self._bus.sink.reply(self.alias, seq, payload, status, self._bus.now_ns())
        _name(error, self.alias)

    def _resynchronise(self) -> None:
        """Drop replies that come late: clear, ask a question, and read until nothing more comes.

        Replies come in the order of their questions, so whatever is late stands before the answer
        to this one, and after it there is silence.
        """
        self._link.clear()
        self._send(self._spec.synchronise or self._spec.identify)
        self._receive()
        while True:
            try:
                self._receive()
            except InstrumentTimeout:
                break
        self._dirty = False
        self.incidents -= 1  # the silence was wanted

    def _refuse(self, message: bytes) -> None:
        what = f"{message[:60]!r}" if message else "a reading"
        raise InstrumentError(
            f"refused {what}: it does not come from a role; nothing was sent",
            instrument=self.alias,
            remedy="use the bench's roles, for instance bench.source_meter(name)",
        )


def _name(error: InstrumentError, alias: str) -> None:
    """Say in the error which instrument of the bench it was: links know addresses only."""
    if error.instrument is None:
        error.instrument = error.key = alias
        error.message = error.message.replace("instrument at", f"{alias} at", 1)
