"""``labtrain session``: list, inspect, recover, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtrain.cli.listing import summaries
from labtrain.cli.options import SessionArgument
from labtrain.cli.outcome import JsonFlag, ending, shown
from labtrain.errors import DataError

if TYPE_CHECKING:
    from labtrain.session import Recording


def list_sessions(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of session files.")],
    sample: Annotated[str | None, typer.Option("--sample", help="Only sessions of this sample.")] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Only sessions that used this device.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", help="Only sessions of this protocol or recipe.")
    ] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only sessions of this status.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the sessions in a folder, oldest first; those still recorded, or dead, are listed by journal.

    Example: labtrain session list runs --protocol iv-curve --status complete
    """
    with ending(as_json) as end:
        from rich.table import Table

        if not folder.is_dir():
            raise DataError(f"{folder} is no folder", remedy="give the folder that holds the .h5 files")
        wanted = {"sample": sample, "devices": device, "protocols": protocol, "status": status}
        found = [one for one in summaries(folder) if _matches(one, wanted)]
        names = ("session", "created_utc", "command", "protocols", "status", "messages")
        table = Table(*[name.replace("_utc", " (UTC)") for name in names], box=None)
        for item in found:
            table.add_row(*[_value(item[name]) for name in names])
        end.with_({"sessions": found}, table if found else f"no such sessions in {shown(folder)}")


def _matches(summary: dict[str, Any], wanted: dict[str, str | None]) -> bool:
    for key, value in wanted.items():
        held = summary[key]
        values = held.values() if isinstance(held, dict) else held if isinstance(held, list) else [held]
        if value is not None and value not in map(str, values):
            return False
    return True


def inspect(session: SessionArgument, as_json: JsonFlag = False) -> None:
    """Show what one session holds; verifies its checksums.

    Example: labtrain session inspect labtrain-demo/demo.h5
    """
    with ending(as_json) as end:
        from labtrain.session import Recording
        from labtrain.session.checkpoint import state_names

        with Recording.open(session, verify=True) as recording:
            fields = {
                "session": session,
                "schema_version": recording.schema_version,
                "complete": recording.complete,
                "recovered": recording.recovered,
                "status": recording.status,
                "created_utc": recording.created_utc,
                "command": recording.start.get("command"),
                "seed": recording.start.get("seed"),
                "runs": runs_in(recording.stream_names()),
                "counts": recording.counts,
                "streams": recording.stream_names(),
                "checkpoints": state_names(recording),
                "notes": recording.notes,
            }
            settings = settings_in(recording)
        lines = [f"[bold]{key.replace('_', ' ')}[/]: {_value(value)}" for key, value in fields.items()]
        lines += [f"[bold]{shown(where)}[/]: {_value(found)}" for where, found in settings.items()]
        end.with_({**fields, "settings": settings}, "\n".join(lines))


def settings_in(recording: Recording) -> dict[str, dict[str, Any]]:
    """Return how every instrument said that it was set, by ``"settings of smu at start"``."""
    names = [name for name in recording.document_names() if name.startswith("settings/")]
    places = {name: "settings of {} at {}".format(*name.split("/")[1:]) for name in sorted(names)}
    return {place: recording.document(name) for name, place in places.items()}


def runs_in(streams: list[str]) -> list[str]:
    """Name the runs behind stream names: ``runs/0001_iv-curve``, ``train/iris-afd``, in order."""
    return list(dict.fromkeys("/".join(name.split("/")[:2]) for name in streams))


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return shown(", ".join(f"{key} {item}" for key, item in value.items()))
    return shown(", ".join(map(str, value)) if isinstance(value, list) else value)


def recover(session: SessionArgument, as_json: JsonFlag = False) -> None:
    """Seal the journal of a run that died; repeating it is harmless.

    Example: labtrain session recover runs/20261122T101500Z_W12-3-4_train_1.h5
    """
    with ending(as_json) as end:
        from labtrain.session import Recording
        from labtrain.session import recover as recover_journal

        done = recover_journal(session)
        with Recording.open(done.path, verify=False) as recording:
            recovered = recording.recovered
        fields = {
            "recovered": recovered,
            "records": done.records,
            "complete": done.complete,
            "session": done.path,
        }
        how = "recovered" if recovered else "was sealed by its own run"
        text = f"{shown(done.path)}: {done.records} records, {how}"
        end.with_(fields, text)


def report(
    session: SessionArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="The page to write; default: beside the session.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write one HTML page with a session's plots; nothing is fetched from outside.

    Example: labtrain session report labtrain-demo/demo.h5
    """
    with ending(as_json) as end:
        from labtrain.report import write_report
        from labtrain.session import Recording

        with Recording.open(session) as recording:
            page = write_report(recording, out or session.with_suffix(".html"))
        end.with_({"report": page}, f"report: {shown(page)}")
