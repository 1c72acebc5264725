"""``labtrain bench check``: the whole file, then every instrument; no output changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labtrain.bench.connecting import LiveConnector
from labtrain.bench.connection import identify
from labtrain.bench.locks import BenchLocks
from labtrain.bench.planning import BenchSetup, read_setup
from labtrain.bus import Bus
from labtrain.errors import BenchFileError, LabtrainError
from labtrain.session.sink import NullSink


def check_bench(file: str | Path) -> dict[str, Any]:
    """Validate, connect and ask every instrument who it is.

    Returns
    -------
    dict
        ``ok``; ``instruments``: alias -> ``model``, ``resource`` and, where it answered, ``idn``;
        ``problems``: each with ``message``, ``file``, ``line``, ``key`` and ``remedy``; ``exit_code``.
    """
    try:
        setup = read_setup(Path(file))
    except BenchFileError as error:
        return _result({}, error.problems)
    except LabtrainError as error:
        return _result({}, [error])
    problems: list[LabtrainError] = []
    instruments = {
        alias: {"model": plan.model, "resource": plan.resource or "simulated"}
        for alias, plan in setup.plan.instruments.items()
    }
    for alias, identity in _ask_all(setup, problems).items():
        instruments[alias]["idn"] = identity
    return _result(instruments, problems)


def _ask_all(setup: BenchSetup, problems: list[LabtrainError]) -> dict[str, str]:
    """Ask every instrument; one that does not answer hides no other."""
    identities: dict[str, str] = {}
    connector = LiveConnector(setup.plan, setup.plan.mount)
    bus = Bus(connector.clock, NullSink())
    try:
        for alias, plan in setup.plan.instruments.items():
            try:
                locks = BenchLocks([plan], "labtrain bench check")
                try:
                    spec = setup.specs[alias]
                    port = bus.attach(alias, connector.link(plan, spec), spec)
                    identities[alias] = identify(port, plan, spec)
                finally:
                    locks.release()
            except LabtrainError as error:
                problems.append(error)
    finally:
        bus.close()
        connector.close()
    return identities


def _result(instruments: dict[str, dict[str, str]], problems: list[LabtrainError]) -> dict[str, Any]:
    told = [
        {"message": one.message, "file": one.file, "line": one.line, "key": one.key, "remedy": one.remedy}
        for one in problems
    ]
    code = max((one.exit_code for one in problems), default=0)
    return {"ok": not told, "instruments": instruments, "problems": told, "exit_code": code}
