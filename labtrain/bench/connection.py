"""Everything between the bench's plan and its instruments: locks, guard, links, bus, safe state.

The order is what counts: lock, guard, connect; and on the way out safe state, links,
guard, locks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, final

from labtrain.bench.awake import Awake
from labtrain.bench.connecting import Connector, LiveConnector
from labtrain.bench.guard import Guard
from labtrain.bench.instrument_settings import read_settings
from labtrain.bench.locks import BenchLocks
from labtrain.bench.planning import BenchSetup
from labtrain.bench.safe_off import OFF, in_order_of_hazard, send_safe_off
from labtrain.bench.signals import undisturbed
from labtrain.bus import Bus, Port
from labtrain.errors import InstrumentError, LabtrainError
from labtrain.links.link import Link
from labtrain.roles.spec import DriverSpec
from labtrain.session.sink import Sink
from labtrain.wiring import InstrumentPlan

_RELAYS_OPEN = 10e-3
"""Until relays that have been told to open have opened (data sheets: below 5 ms)."""


@final
class Connection:
    """An open connection to every instrument of a bench.

    Parameters
    ----------
    setup
        The validated bench file.
    sink
        Where messages are noted.
    connector
        Makes the links; None connects for real (and to simulated instruments by ``mount``), with
        locks and a guard for real addresses.
    mount
        How simulated instruments are reached; None: as the bench file says.

    Attributes
    ----------
    is_live
        Whether instruments are really driven (no record answers for them).
    power_was_off
        Alias -> whether an instrument has been switched on since somebody asked last.

    Raises
    ------
    BenchHeld
        When another program holds an instrument.
    InstrumentError
        When one does not answer, or is not of the model that the bench file names.
    """

    def __init__(
        self, setup: BenchSetup, sink: Sink, connector: Connector | None = None, mount: str | None = None
    ) -> None:
        self._specs = dict(setup.specs)
        self._plans = setup.plan.instruments
        self._links: dict[str, Link] = {}
        self.ports: dict[str, Port] = {}
        self.identities: dict[str, str] = {}
        self.power_was_off: dict[str, bool] = {}
        self._locks: BenchLocks | None = None
        self._guard: Guard | None = None
        self._awake: Awake | None = None
        self._safe = True  # nothing has been driven yet
        self._connector = connector
        self.is_live = connector is None
        try:
            if connector is None or connector.drives:
                name = setup.source.name if setup.source else "a bench"
                self._locks = BenchLocks(self._plans.values(), name)
                self._guard = Guard(setup.plan, self._specs, self._locks.descriptors)
                self._awake = Awake(any(one.resource is not None for one in self._plans.values()))
            self.connector = connector or LiveConnector(setup.plan, mount or setup.plan.mount)
            self._connector = self.connector
            self.bus = Bus(self.connector.clock, sink)
            for alias, plan in self._plans.items():
                self._links[alias] = self.connector.link(plan, self._specs[alias])
                self.ports[alias] = self.bus.attach(alias, self._links[alias], self._specs[alias])
            for alias, plan in self._plans.items():
                self.identities[alias] = identify(self.ports[alias], plan, self._specs[alias])
                self.power_was_off[alias] = self.ports[alias].was_off()
            if self._guard is not None:
                self._guard.wait_until_ready()
        except BaseException:
            self._let_go()
            raise

    def safe_state(self) -> dict[str, str]:
        """Switch everything off: sources first, then relays open; past every failure.

        Cannot be interrupted: Ctrl-C waits until it is done. Where the record or the bus fails, the
        messages go to the link without a record.

        Returns
        -------
        dict
            Alias -> ``"off"`` or what failed.
        """
        states: dict[str, str] = {}
        with undisturbed():
            for rank in in_order_of_hazard(self._specs):
                for alias in rank:
                    if alias in self.ports:
                        states[alias] = self._switch_off(alias)
            self._safe = not failures(states)
            try:
                self.bus.clock.sleep(_RELAYS_OPEN)
            except Exception:  # a full disk, a lost link: relays need their time all the same
                self.connector.clock.sleep(_RELAYS_OPEN)
        return states

    def renew(self) -> None:
        """Retire all ports, and with them every role; hand over to the instruments where a record answered.

        Raises
        ------
        InstrumentError
            When an instrument cannot be reached; nothing has been sent then.
        """
        self.is_live = self.connector.hand_over() or self.is_live
        for alias in self.ports:
            self.ports[alias] = self.bus.renew(alias)

    def power_losses(self) -> list[str]:
        """Ask every instrument whether its power has been off since it was asked last; return those."""
        losses = []
        with undisturbed():
            for alias, port in self.ports.items():
                with suppress(InstrumentError):  # all are off: one that does not answer now hurts nobody
                    if port.lost_power():
                        losses.append(alias)
        return losses

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return what the record keeps of every instrument: model, address, identity, power."""
        return {
            alias: {
                "model": self._plans[alias].model,
                "resource": self._plans[alias].resource or "simulated",
                "idn": identity,
                "power_was_off": self.power_was_off[alias],
            }
            for alias, identity in self.identities.items()
        }

    def settings(self) -> dict[str, dict[str, str]]:
        """Ask every instrument that can be asked how it is set; alias -> name -> reply."""
        asked = {alias: spec for alias, spec in self._specs.items() if spec.settings}
        return {alias: read_settings(self.ports[alias], spec) for alias, spec in asked.items()}

    def close(self) -> None:
        """Let go of everything; no message is sent. Closing twice is harmless."""
        with undisturbed():
            self._let_go()

    def _switch_off(self, alias: str) -> str:
        spec = self._specs[alias]
        self.ports[alias].incidents += 1  # its role must ask anew how it is set
        try:
            self.ports[alias].clear()
            self.ports[alias].raw(spec.safe_off)
            return OFF
        except Exception as first:  # a full disk must not keep an output on
            try:
                send_safe_off(self._links[alias], spec)
            except Exception as second:  # whatever it is: the other instruments must be switched off too
                return f"failed: {second}"
            return OFF if isinstance(first, InstrumentError) else f"off, but not in the record: {first}"

    def _let_go(self) -> None:
        links, self._links = self._links, {}
        for link in reversed(list(links.values())):
            with suppress(LabtrainError, OSError):
                link.close()
        connector, self._connector = self._connector, None
        if connector is not None:
            connector.close()
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.dismiss(safe=self._safe)
        awake, self._awake = self._awake, None
        if awake is not None:
            awake.release()
        locks, self._locks = self._locks, None
        if locks is not None:
            locks.release()


def identify(port: Port, plan: InstrumentPlan, spec: DriverSpec) -> str:
    """Ask an instrument who it is; changes nothing.

    Raises
    ------
    InstrumentError
        When it does not answer, or is not of the model that the bench file names.
    """
    replies = port.raw([spec.identify])
    identity = replies[0].decode("ascii", "replace").strip() if replies else ""
    if _plain(spec.model) not in _plain(identity):
        raise InstrumentError(
            f"answers {identity!r}, which is not a {spec.model}",
            instrument=plan.alias,
            resource=plan.resource,
            remedy="check the address and the model in the bench file",
        )
    return identity


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def failures(states: Mapping[str, str]) -> dict[str, str]:
    """Return the instruments that could not be switched off."""
    return {alias: state for alias, state in states.items() if state.startswith("failed")}
