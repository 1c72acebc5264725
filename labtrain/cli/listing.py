"""What ``labtrain session list`` says of each file: who measured what, on which devices, how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtrain.errors import DataError

if TYPE_CHECKING:
    from labtrain.session import Recording

_JOURNAL = ".journal"


def summaries(folder: Path) -> list[dict[str, Any]]:
    """Summarise the sessions of a folder, oldest first: sealed, running, dead and unreadable ones."""
    found = [_sealed(path) for path in sorted(folder.glob("*.h5"))]
    found += [_unsealed(journal) for journal in sorted(folder.glob(f"*.h5{_JOURNAL}"))]
    return sorted(found, key=lambda one: (one["created_utc"], one["session"]))


def _summary(session: Path, status: str, start: dict[str, Any], **known: Any) -> dict[str, Any]:
    steps = start.get("steps", [])
    return {
        "session": str(session),
        "created_utc": "",
        "command": start.get("command", ""),
        "sample": start.get("sample", {}),
        "protocols": [str(step.get("protocol") or step.get("recipe")) for step in steps],
        "devices": [],
        "status": status,
        "messages": None,
        **known,
    }


def _sealed(path: Path) -> dict[str, Any]:
    """Summarise without reading every byte: ``inspect`` verifies."""
    from labtrain.session import Recording

    try:
        with Recording.open(path, verify=False) as recording:
            return _summary(
                path,
                recording.status,
                recording.start,
                created_utc=recording.created_utc,
                devices=devices_in(recording),
                messages=recording.counts["messages"],
            )
    except DataError as error:
        return _summary(path, "unreadable", {}, problem=error.message)


def devices_in(recording: Recording) -> list[str]:
    """Return the devices that the streams name, and their arrays (``neurons`` for ``neurons[3]``)."""
    named: dict[str, None] = {}
    for stream in recording.stream_names():
        for device in recording.stream_attributes(stream).get("devices", []):
            named |= {str(device): None, str(device).split("[")[0]: None}
    return list(named)


def _unsealed(journal: Path) -> dict[str, Any]:
    from labtrain.session import Tail

    session = journal.with_name(journal.name.removesuffix(_JOURNAL))
    try:
        with Tail(session) as tail:
            status = "running" if tail.is_written else "aborted"
            first = next(iter(tail.poll()), None)
    except DataError as error:  # sealed in this very moment
        return _summary(session, "unreadable", {}, problem=error.message)
    head = first.content if first is not None and first.kind == "start" else {}
    remedy = {} if status == "running" else {"problem": f"unsealed: labtrain session recover {session}"}
    created = str(head.get("created_utc", ""))
    return _summary(session, status, head.get("start", {}), created_utc=created, **remedy)
