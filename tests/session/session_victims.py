"""Processes that write a session and are killed, or run out of disk."""

from __future__ import annotations

import resource
from pathlib import Path

from labtrain.errors import LabtrainError, RecordError
from labtrain.session import Column, Session
from labtrain.session.provenance import gather_provenance

gather_provenance()  # git and packages are asked once, in the fork server
COLUMNS = {"k": Column("int64")}


def write_for_ever(path: str, acknowledged) -> None:
    """Note messages, replies and rows until killed; ``acknowledged.value`` counts the rows."""
    session = Session.create(Path(path), start={"command": "victim"})
    rows = session.stream("runs/0001_x/points", COLUMNS, {})
    k = 0
    while True:
        seq = session.command("smu", b"READ? %d\n" % k, k)
        session.reply("smu", seq, b"%d\n" % k, "ok", k)
        rows.append({"k": k})
        k += 1
        acknowledged.value = k


def write_then_seal(path: str, count: int, sealing) -> None:
    """Note ``count`` messages, say so, seal, say so."""
    session = Session.create(Path(path), start={"command": "victim"})
    for k in range(count):
        session.reply("smu", session.command("smu", b"READ? %d\n" % k, k), b"%d\n" % k, "ok", k)
    sealing.value = 1
    session.seal("complete")
    sealing.value = 2


def fill_the_disk(path: str, limit_bytes: int, acknowledged, refusals) -> None:
    """Note rows until the file may grow no further; count what was acknowledged and what was refused."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    fill(Path(path), acknowledged, refusals)


def fill(path: Path, acknowledged, refusals) -> None:
    """Note rows until refused, then try every other call and sealing."""
    session = Session.create(path, start={"command": "victim"})
    rows = session.stream("runs/0001_x/points", COLUMNS, {})
    try:
        while True:
            rows.append({"k": acknowledged.value})
            acknowledged.value += 1
    except RecordError:
        refusals.value += 1
    for call in (
        lambda: rows.append({"k": -1}),
        lambda: session.command("smu", b"*IDN?\n", 0),
        lambda: session.note("still there?"),
        session.barrier,
        session.seal,
    ):
        try:
            call()
        except LabtrainError:
            refusals.value += 1
