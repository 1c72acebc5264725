"""The cells of a study on a Dask cluster: other machines train, the sealed sessions come back here.

Dask gives the scheduler, the wire, its encryption and the second try after a worker's death. What is ours:
a cell's session is written and sealed on the worker and travels back as bytes, so no folder need be shared.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from labtrain import __version__
from labtrain.cli.study_cells import Cell, Outcome, Study, run_cell
from labtrain.cluster import connect
from labtrain.errors import LabtrainError, UsageError


def on_cluster(study: Study, cells: Sequence[Cell], address: str) -> Iterator[Outcome]:
    """Run the cells on a cluster's workers, one at a time on each; yield them as they finish.

    Every session is in the study's folder before its cell is yielded: what is finished stays finished,
    whichever worker dies afterwards. A cell whose worker died is tried on another one; one that takes several
    workers with it is given up, as Dask's ``distributed.scheduler.allowed-failures`` says.

    Raises
    ------
    UsageError
        Where no scheduler or worker answers, or a worker has another labtrain or other files.
    """
    with connect(address) as client:
        from distributed import as_completed

        wanted = _expected(study)
        _refuse_strangers(client.run(difference, wanted))
        running = {
            client.submit(carried_cell, study, cell, wanted, key=cell.path(study).name, pure=False): cell
            for cell in cells
        }
        for future in as_completed(running, loop=client.loop):
            yield _fetched(study, running[future], future)
            future.release()


def carried_cell(study: Study, cell: Cell, wanted: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Train one cell on a worker; return its result and its sealed session."""
    from distributed import get_worker

    if found := difference(wanted, get_worker()):
        raise RuntimeError(found)
    with tempfile.TemporaryDirectory(prefix="labtrain_study_") as scratch:
        here = replace(study, folder=Path(scratch))
        return run_cell(here, cell), cell.path(here).read_bytes()


def difference(wanted: Mapping[str, Any], dask_worker: Any) -> str:
    """Say in which way a worker is not fit for the study; nothing where it is.

    ``Client.run`` gives ``dask_worker`` by this name.
    """
    if __version__ != wanted["labtrain"]:
        return f"has labtrain {__version__}, the study {wanted['labtrain']}"
    threads = dask_worker.state.nthreads
    if threads != 1:
        return f"has {threads} threads, and a training sets torch's for its whole process: use --nthreads 1"
    for name, digest in wanted["files"].items():
        if _file_digest(Path(name)) != digest:
            return f"has another file, or none, at {name}"
    return ""


def _expected(study: Study) -> dict[str, Any]:
    files = [path for path in (study.bench_file, study.twin and Path(study.twin)) if path]
    return {"labtrain": __version__, "files": {str(path.resolve()): _file_digest(path) for path in files}}


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _refuse_strangers(differences: Mapping[str, str]) -> None:
    strange = [f"worker {name} {what}" for name, what in differences.items() if what]
    if strange:
        raise UsageError(
            "; ".join(strange), remedy="make the workers alike, then start the study again", key="scheduler"
        )


def _fetched(study: Study, cell: Cell, future: Any) -> Outcome:
    """Put the session that a cell has brought into the study's folder, whole or not at all."""
    error = future.exception()
    if error is not None:
        return Outcome(cell, None, f"{type(error).__name__}: {error}")
    result, sealed = future.result()
    path = cell.path(study)
    arriving = path.with_suffix(".arriving")
    try:
        arriving.write_bytes(sealed)
        os.replace(arriving, path)
    except OSError as failure:
        raise LabtrainError(
            f"the session of {cell.name} cannot be kept: {failure}",
            remedy="make room, then start the study again: it goes on where it was",
            file=path,
        ) from failure
    return Outcome(cell, result)
