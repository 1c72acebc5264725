"""Dask clusters that labtrain may use: encrypted, or on this machine; what they run is Dask's business."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from labtrain.errors import UsageError

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


def connect(address: str) -> Client:
    """Return a client of the scheduler at ``address``, which has at least one worker.

    Encryption and certificates are Dask's own configuration (``distributed.comm.tls``).

    Raises
    ------
    UsageError
        For an address that is refused, or where no scheduler answers or it has no worker.
    """
    check_address(address)
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


def _port(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None
