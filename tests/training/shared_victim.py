"""Runs under torchrun: ``cases FOLDER`` trains all small cases, ``labtrain FOLDER N`` runs commands.

``labtrain``: ``commands.json`` in FOLDER is a list of argument lists; with N > 0 the process of rank 1 kills
itself at its N-th sum.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed

sys.path.insert(0, str(Path(__file__).parent))


def cases(folder: Path) -> None:
    from shared_cases import CASES, run_case

    from labtrain.training.torchrun import joined

    with joined(patience=60.0) as processes:
        found = {name: run_case(name, processes) for name in CASES}
        found["refusals"] = refusals(processes)
        torch.save(found, folder / f"rank{processes.rank}.pt")


def refusals(processes: Any) -> list[str]:
    """Try devices that know nothing of it, and a batch of one sample; return what is said."""
    from shared_cases import SCHEDULE, training_of

    from labtrain.errors import UsageError
    from labtrain.training.loop import Training
    from labtrain.training.processes import Alone

    made, said = training_of("gates", Alone()), []
    for schedule in (SCHEDULE, replace(SCHEDULE, batch_size=29)):
        try:
            Training(made.network, made.split, schedule, seed=1, processes=processes)
        except UsageError as error:
            said.append(error.message)
    return said


def commands(folder: Path, killed_at: int) -> None:
    from labtrain.cli.app import app
    from labtrain.training.torchrun import joined

    if killed_at and os.environ["RANK"] == "1":
        kill_at_sum(killed_at, folder / "killed")
    outcomes = []
    # One meeting for all commands: with the launcher's own store, processes cannot meet a second time.
    with joined():
        for arguments in json.loads((folder / "commands.json").read_text()):
            said = io.StringIO()
            with redirect_stdout(said):
                code = app(arguments, standalone_mode=False)
            outcomes.append({"code": code or 0, "said": said.getvalue()})
    (folder / f"rank{os.environ['RANK']}.json").write_text(json.dumps(outcomes))


def kill_at_sum(number: int, note: Path) -> None:
    whole, left = torch.distributed.all_reduce, [number]

    def counted(*given: object, **named: object) -> object:
        left[0] -= 1
        if not left[0]:
            note.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*given, **named)

    torch.distributed.all_reduce = counted


if __name__ == "__main__":
    kind, folder = sys.argv[1], Path(sys.argv[2])
    if kind == "cases":
        cases(folder)
    else:
        commands(folder, int(sys.argv[3]))
