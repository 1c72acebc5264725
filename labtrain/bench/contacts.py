"""Which terminals have passed their contact check since the bench was opened; no others are driven."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import isinf
from typing import final

from labtrain.bench.circuit import Circuit, Reached
from labtrain.bench.contact import Contact
from labtrain.bench.endurance import EnduranceBook
from labtrain.errors import LimitExceeded
from labtrain.roles.spec import DriverSpec
from labtrain.session.sink import Sink
from labtrain.wiring import DevicePlan, TerminalPlan


@final
class Contacts:
    """Remembers contact checks and refuses to drive what has not passed its own.

    Parameters
    ----------
    circuit, specs
        Say which terminals a source meter can reach; the others cannot be checked.
    sink
        Where what was found is noted, as the document ``contacts/DEVICE.TERMINAL``.
    book
        Keeps the last resistance of every terminal beyond the run.
    demanded
        ``hazards.contact_check`` of the bench file.
    """

    def __init__(
        self,
        circuit: Circuit,
        specs: Mapping[str, DriverSpec],
        sink: Sink,
        book: EnduranceBook,
        *,
        demanded: bool,
    ) -> None:
        self._circuit, self._specs, self._sink, self._book = circuit, specs, sink, book
        self._demanded = demanded
        self._found: dict[str, Contact] = {}
        self._checkable: dict[str, bool] = {}
        self._checking = False

    @property
    def found(self) -> Mapping[str, Contact]:
        """The newest check of every terminal checked so far."""
        return self._found

    def forget(self) -> None:
        """Let every terminal be checked anew before it is driven."""
        self._found.clear()

    def note(self, contact: Contact) -> None:
        """Remember and record a check."""
        self._found[contact.where] = contact
        self._book.note_state(contact.where, contact.ohm)
        document = {
            "ohm": None if isinf(contact.ohm) else contact.ohm,
            "expected_ohm": list(contact.expected) if contact.expected else None,
            "ok": contact.ok,
            "reason": contact.reason,
        }
        self._sink.document(f"contacts/{contact.where}", document)

    def note_sense(self, where: str, ohm: float) -> None:
        """Record what four wires have found."""
        self._sink.document(f"contacts/{where} (four wires)", {"ohm": ohm, "ok": True})

    def due(self, device: DevicePlan, terminal: TerminalPlan) -> bool:
        """Whether a terminal must be checked before it is driven."""
        where = f"{device.name}.{terminal.name}"
        return self._demanded and where not in self._found and self.checkable(device, terminal)

    def passed(self, where: str) -> bool:
        """Whether nothing is known against a terminal."""
        contact = self._found.get(where)
        return not self._demanded or contact is None or contact.ok

    def require(self, where: str) -> None:
        """Raise where a check has failed.

        Raises
        ------
        CheckFailed
            Naming the terminal, what was found and what is expected.
        """
        if not self.passed(where):
            raise self._found[where].failure()

    def before_drive(self, reached: Iterable[Reached]) -> None:
        """Raise unless everything that a source is about to drive has passed its check.

        A terminal that no source meter reaches (a pulsed line) stands for the others of its device.

        Raises
        ------
        LimitExceeded
            For a device that has not been checked.
        CheckFailed
            For one that did not pass.
        """
        if not self._demanded or self._checking:
            return
        for one in reached:
            for where in self._answering(one.device, one.terminal):
                self.require(where)
                if where not in self._found:
                    raise LimitExceeded(
                        "nothing is driven before its contact has been checked; nothing was sent",
                        remedy="use bench.route(device, terminal), which does it first, or"
                        f" bench.contact_check({one.device.name!r}, {where.rpartition('.')[2]!r})",
                        key=where,
                    )

    def _answering(self, device: DevicePlan, terminal: TerminalPlan) -> list[str]:
        own = [terminal] if self.checkable(device, terminal) else list(device.terminals.values())
        return [f"{device.name}.{one.name}" for one in own if self.checkable(device, one)]

    def checkable(self, device: DevicePlan, terminal: TerminalPlan) -> bool:
        """Whether a source meter can reach a terminal at all."""
        where = f"{device.name}.{terminal.name}"
        if where not in self._checkable:
            channels = (channel for channel, _ in self._circuit.sources_at(terminal))
            self._checkable[where] = any(
                self._specs[channel.alias].role == "source-meter" for channel in channels
            )
        return self._checkable[where]

    @contextmanager
    def checking(self) -> Iterator[None]:
        """Let the source meter of a check drive, for the length of the block."""
        before, self._checking = self._checking, True
        try:
            yield
        finally:
            self._checking = before
