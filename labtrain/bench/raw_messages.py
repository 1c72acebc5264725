"""Messages that go round every role and every limit, where the bench file allows them."""

from __future__ import annotations

from labtrain.bench.connection import Connection
from labtrain.bench.planning import BenchSetup
from labtrain.errors import UsageError
from labtrain.naming import nearest


def send_raw(setup: BenchSetup, connection: Connection, name: str, message: str) -> str | None:
    """Send one message; return the reply where it is a question.

    Raises
    ------
    UsageError
        Unless the bench file says ``hazards.raw = true``, and for an instrument that is not there.
    """
    if not setup.plan.hazards["raw"]:
        remedy = "write [hazards] raw = true into the bench file if you must; no limit is checked then"
        raise UsageError("this bench allows no raw messages; nothing was sent", remedy=remedy, key=name)
    if name not in connection.ports:
        remedy = nearest(name, setup.plan.instruments)
        raise UsageError(f"the bench has no instrument {name!r}", remedy=remedy)
    port, termination = connection.ports[name], setup.specs[name].termination
    port.incidents += 1  # its role must ask anew how it is set
    replies = port.raw([message.encode("ascii") + termination])
    return replies[0].removesuffix(termination).decode("ascii", "replace") if replies else None
