"""The first and the last record of a session: what was asked of which program, and how it ended."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any, Literal

from labtrain.clock import Clock
from labtrain.errors import ProcessLost, Terminated
from labtrain.session.provenance import gather_provenance

Status = Literal["complete", "aborted", "failed"]


def start_record(clock: Clock, start: str, replaces: bool) -> dict[str, Any]:
    """Return the content of the start record; ``start`` is the start document as JSON."""
    local = datetime.fromtimestamp(clock.utc_ns() / 1e9, UTC).astimezone()
    return {
        "uuid": str(uuid.uuid4()),
        "created_utc": local.astimezone(UTC).isoformat(),
        "zone": local.tzname(),
        "utc_offset_seconds": local.utcoffset().total_seconds(),  # type: ignore[union-attr]
        "replaces": replaces,
        "start": json.loads(start),
        "provenance": gather_provenance(),
    }


def stop_record(
    clock: Clock, status: str, interrupted_after: int | None, error: BaseException | None
) -> dict[str, Any]:
    """Return the content of the stop record.

    Parameters
    ----------
    interrupted_after
        The last sequence number before somebody stopped the run; what comes behind it was noted
        while the run unwound.
    error
        What ended the run, None where it came to its end.
    """
    return {
        "status": status,
        "utc_ns": clock.utc_ns(),
        "interrupted_after": interrupted_after,
        "error": None if error is None else {"kind": type(error).__name__, "message": str(error)},
    }


def status_after(error: BaseException | None) -> Status:
    """Return how a run ended that was left so."""
    if error is None:
        return "complete"
    return "aborted" if isinstance(error, KeyboardInterrupt | Terminated | ProcessLost) else "failed"
