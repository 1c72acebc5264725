"""How instruments are set, as they say themselves: read for the record, changing nothing."""

from __future__ import annotations

from labtrain.bus.port import Port
from labtrain.errors import InstrumentError
from labtrain.roles.spec import DriverSpec

NOT_READ = "not read"
"""The name under which the record says why the rest is missing."""


def read_settings(port: Port, spec: DriverSpec) -> dict[str, str]:
    """Ask an instrument for its settings (:attr:`DriverSpec.settings`); replies as they came.

    One that fails to answer is asked nothing more: the record does without, the run goes on.
    """
    found: dict[str, str] = {}
    try:
        with port.role_call():
            for name, question in spec.settings.items():
                port.write(question + spec.termination)
                found[name] = port.read().decode("ascii", "replace").strip()
    except InstrumentError as error:
        found[NOT_READ] = str(error)
    return found
