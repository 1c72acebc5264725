"""The cells of a study on a Dask cluster: other machines train, the sealed sessions come back here.

Dask gives the scheduler, the wire, its encryption and the second try after a worker's death. What is ours:
a cell's session is written and sealed on the worker and travels back as bytes, so no folder need be shared.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labtrain import __version__
from labtrain.cli.study_cells import Cell, Outcome, Study, run_cell
from labtrain.errors import LabtrainError, UsageError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer, and then to find a first worker."""


def check_address(address: str) -> None:
    """Accept what Dask can connect to, unencrypted only on this machine.

    Raises
    ------
    UsageError
        For anything but ``tls://host:port``, or ``tcp://`` with a loopback host.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not _port(address):
        raise UsageError(
            f"there is no scheduler {address!r}",
            remedy="give local, or a Dask scheduler's address: tls://host:8786, tcp://127.0.0.1:8786",
            key="scheduler",
        )
    if parts.scheme == "tcp" and not is_loopback(parts.hostname):
        raise UsageError(
            f"{address} is neither encrypted nor on this machine: who reaches it can run code on each worker",
            remedy="start scheduler and workers with Dask's --tls-* options and give tls://host:port",
            key="scheduler",
        )


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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


def connect(address: str) -> Client:
    """Return a client of the scheduler at ``address``, which has at least one worker.

    Encryption and certificates are Dask's own configuration (``distributed.comm.tls``).

    Raises
    ------
    UsageError
        Where none answers, or none has a worker.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "Dask is not installed", remedy='pip install "labtrain[cluster]"', key="scheduler"
        ) from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"no scheduler answers at {address}: {error}",
            remedy="start one with: dask scheduler; for tls:// configure Dask's distributed.comm.tls",
            key="scheduler",
        ) from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        client.close()
        raise UsageError(
            f"the scheduler at {address} has no worker",
            remedy=f"start some with: dask worker {address} --nthreads 1",
            key="scheduler",
        ) from None
    return client


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


def _port(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None
