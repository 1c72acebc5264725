"""The safe state, by raw messages: sources off before relays open, past every failure.

Knows links and driver specifications only: no PyMeasure, no bus, no record. The
guard process and ``labtrain bench off`` use it alone; an open bench falls back on
it where its record or its bus fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread

from labtrain.errors import LabtrainError
from labtrain.links.link import Link
from labtrain.roles.spec import DriverSpec

OFF = "off"
_HAZARD = {"pulse-generator": 0, "source-meter": 0, "switch-matrix": 1, "sensor": 2}


def in_order_of_hazard(specs: dict[str, DriverSpec]) -> list[list[str]]:
    """Group the instruments: sources first, then matrices, so that no relay opens hot."""
    ranks = sorted({_HAZARD[spec.role] for spec in specs.values()})
    return [[alias for alias, spec in specs.items() if _HAZARD[spec.role] == rank] for rank in ranks]


def send_safe_off(link: Link, spec: DriverSpec) -> None:
    """Clear the link and send every line of the driver's safe state, even after one has failed.

    Raises
    ------
    LabtrainError
        The first failure, after all lines have been tried.
    """
    failure: LabtrainError | None = None
    try:
        link.clear()
    except LabtrainError as error:
        failure = error
    for line in spec.safe_off:
        try:
            link.send(line)
            if spec.answers_every_line or line.rstrip().endswith(b"?"):
                link.receive()
        except LabtrainError as error:
            failure = failure or error
    if failure is not None:
        raise failure


def all_off(
    specs: dict[str, DriverSpec], connect: Callable[[str], Link], patience: float | None = None
) -> dict[str, str]:
    """Connect to every instrument and switch it off; what came of it, by alias (``"off"`` or the failure).

    Instruments of one rank are switched off at the same time, so that one that does not answer
    keeps no other on.

    Parameters
    ----------
    patience
        Seconds to wait for the instruments of one rank; None waits for all.
    """
    states = dict.fromkeys(specs, "no answer in time")

    def switch_off(alias: str) -> None:
        try:
            link = connect(alias)
            try:
                send_safe_off(link, specs[alias])
                states[alias] = OFF
            finally:
                link.close()
        except Exception as error:  # whatever it is: the others must be switched off all the same
            states[alias] = f"failed: {error}"

    for rank in in_order_of_hazard(specs):
        _together([Thread(target=switch_off, args=(alias,), daemon=True) for alias in rank], patience)
    return states


def _together(threads: Iterable[Thread], patience: float | None) -> None:
    started = list(threads)
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(patience)
