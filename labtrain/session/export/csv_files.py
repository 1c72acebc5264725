"""CSV: one file a row stream, headed ``name [unit]``, and one of all messages."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from labtrain.session.export import flat
from labtrain.session.recording import Recording, Rows


def to_csv(recording: Recording, folder: Path) -> list[Path]:
    """Write a session's rows and messages.

    Floats are written with the digits that give the same float back; bytes outside ASCII in messages, and
    their line ends, are escaped.
    """
    files = [
        _write(folder / f"{flat(name)}.csv", _header(rows), _lines(rows))
        for name, rows in ((name, recording.rows(name)) for name in recording.stream_names())
    ]
    if recording.counts["messages"]:
        header = ("seq", "t_ns [ns]", "port", "status", "command", "reply")
        files.append(_write(folder / "messages.csv", header, _messages(recording)))
    return files


def _header(rows: Rows) -> list[str]:
    return [f"{name} [{unit}]" if unit else name for name, unit in rows.units.items()]


def _lines(rows: Rows) -> Iterable[Sequence[Any]]:
    return zip(*(column.tolist() for column in rows.columns.values()), strict=True)


def _messages(recording: Recording) -> Iterable[Sequence[Any]]:
    found = recording.transactions()
    texts = ([_escaped(message) for message in side] for side in (found.commands(), found.replies()))
    return zip(
        found.seq.tolist(),
        found.t_ns.tolist(),
        found.port.tolist(),
        found.status.tolist(),
        *texts,
        strict=True,
    )


def _escaped(message: bytes) -> str:
    return message.decode("latin-1").encode("unicode_escape").decode("ascii")


def _write(path: Path, header: Sequence[str], lines: Iterable[Sequence[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(lines)
    return path
