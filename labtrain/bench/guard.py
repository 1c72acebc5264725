"""A process that makes real instruments safe when the program that drives them dies.

The parent tells it what to do on standard input and keeps that pipe open. An orderly
close says so; the end of the pipe without it, or the end of the parent, means that the
parent was killed: then the guard connects to every address and switches it off. It
ignores Ctrl-C, and knows neither PyMeasure nor the record.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, final

from labtrain.errors import InstrumentError
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import BenchPlan, InstrumentPlan

_LOOK_EVERY = 0.1
_PATIENCE = 1.5
_TIMEOUT = 1.0
_LONGEST = 10.0
_DONE = "done"
_READY = "ready"


@final
class Guard:
    """The parent's end: start, wait until it stands, and tell it when the bench has been closed in order.

    Parameters
    ----------
    plan, specs
        Only instruments with a real address are guarded.
    inherited
        Open files that the guard keeps until it ends (the locks).
    """

    def __init__(
        self, plan: BenchPlan, specs: Mapping[str, DriverSpec], inherited: tuple[int, ...] = ()
    ) -> None:
        real = [one for one in plan.instruments.values() if one.resource is not None]
        self._process: subprocess.Popen[str] | None = None
        if real:
            self._process = _start(inherited)
            orders = [_order(one, specs[one.alias]) for one in real]
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"parent": os.getpid(), "instruments": orders}) + "\n")
            self._process.stdin.flush()

    def wait_until_ready(self) -> None:
        """Return when the guard stands; nothing may be driven before.

        Raises
        ------
        InstrumentError
            When it did not start.
        """
        if self._process is None:
            return
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != _READY:
            raise InstrumentError(
                "the guard process did not start; nothing was driven",
                instrument="guard",
                remedy="run labtrain doctor",
            )

    def dismiss(self, *, safe: bool) -> None:
        """End the guard; dismissing twice is harmless.

        Parameters
        ----------
        safe
            Whether the bench has been switched off in order. Otherwise the guard tries it with links of
            its own before it ends.
        """
        process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        try:
            if safe:
                process.stdin.write(_DONE + "\n")
            process.stdin.close()
        except OSError:
            pass  # the guard ended before: nothing to tell it
        process.stdout.close()
        process.wait(timeout=_LONGEST)


def _order(plan: InstrumentPlan, spec: DriverSpec) -> dict[str, Any]:
    """Write down all that the guard needs, so that it loads no driver (and no PyMeasure)."""
    return {
        "alias": plan.alias,
        "resource": plan.resource,
        "model": spec.model,
        "role": spec.role,
        "transport": spec.transport,
        "termination": spec.termination.decode("latin-1"),
        "safe_off": [line.decode("latin-1") for line in spec.safe_off],
        "answers_every_line": spec.answers_every_line,
    }


def _start(inherited: tuple[int, ...]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "labtrain.bench.guard"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return subprocess.Popen(command, creationflags=flags, **pipes)  # type: ignore[call-overload,no-any-return]
    return subprocess.Popen(command, start_new_session=True, pass_fds=inherited, **pipes)  # type: ignore[call-overload,no-any-return]


def main() -> None:
    """Guard until the parent says that it is done, or is gone."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if name in signal.Signals.__members__:
            signal.signal(signal.Signals[name], signal.SIG_IGN)
    orders = json.loads(sys.stdin.readline())
    plans, specs = _prepare(orders["instruments"])
    sys.stdout.write(_READY + "\n")
    sys.stdout.flush()
    if not _parent_closed_in_order(int(orders["parent"])):
        _switch_off(plans, specs)


def _prepare(orders: list[dict[str, Any]]) -> tuple[dict[str, InstrumentPlan], dict[str, DriverSpec]]:
    """Read the orders and load the transports now: there is no time later."""
    plans, specs = {}, {}
    for order in orders:
        alias = order["alias"]
        plans[alias] = InstrumentPlan(alias, order["model"], order["resource"], {"timeout": _TIMEOUT})
        specs[alias] = DriverSpec(
            model=order["model"],
            role=order["role"],
            open=lambda adapter, name, options: None,
            transport=order["transport"],
            termination=order["termination"].encode("latin-1"),
            safe_off=tuple(line.encode("latin-1") for line in order["safe_off"]),
            answers_every_line=order["answers_every_line"],
        )
    for transport in {spec.transport for spec in specs.values()}:
        importlib.import_module(f"labtrain.links.{transport}")
    importlib.import_module("labtrain.bench.connecting")
    return plans, specs


def _parent_closed_in_order(pid: int) -> bool:
    """Wait for the word, the end of the pipe, or the end of the parent (a child may hold the pipe open)."""
    psutil: Any = importlib.import_module("psutil")  # untyped

    said: list[str] = []
    heard = threading.Event()

    def listen() -> None:
        said.append(sys.stdin.readline().strip())
        heard.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        parent = psutil.Process(pid)
        while not heard.wait(_LOOK_EVERY):
            if not parent.is_running() or parent.status() == psutil.STATUS_ZOMBIE:
                break
    except psutil.NoSuchProcess:
        heard.wait(_LOOK_EVERY)
    return said == [_DONE]


def _switch_off(plans: dict[str, InstrumentPlan], specs: dict[str, DriverSpec]) -> None:
    from labtrain.bench.connecting import open_link
    from labtrain.bench.safe_off import all_off

    all_off(specs, lambda alias: open_link(plans[alias], specs[alias], str(plans[alias].resource)), _PATIENCE)


if __name__ == "__main__":
    main()
    os._exit(0)  # a thread may still wait for an instrument or for the pipe
