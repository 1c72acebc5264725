"""Instruments and an echo in processes of their own, as ``labtrain bench serve`` runs them."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ECHO = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
client, _ = listener.accept()
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while data := client.recv(65536):
    client.sendall(data)
"""


@contextmanager
def served(bench: str) -> Iterator[dict[str, str]]:
    """Serve a bench file's instruments on a virtual clock; give their resources by alias."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.toml"
        file.write_text(bench)
        command = [
            sys.executable,
            "-m",
            "labtrain",
            "bench",
            "serve",
            str(file),
            "--clock",
            "virtual",
            "--json",
        ]
        with _running(command) as line:
            yield {alias: one["resource"] for alias, one in json.loads(line)["instruments"].items()}


@contextmanager
def echoing() -> Iterator[socket.socket]:
    """Connect to a process that sends back what it is sent: what a query costs without an instrument."""
    with _running([sys.executable, "-c", ECHO]) as line, connected(int(line)) as client:
        yield client


@contextmanager
def connected(to: int | str) -> Iterator[socket.socket]:
    """Open a plain socket to a port, or to the port that a VISA resource names."""
    found = re.search(r"::(\d+)::SOCKET", to) if isinstance(to, str) else None
    with socket.create_connection(("127.0.0.1", int(found[1]) if found else int(to))) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield client


@contextmanager
def _running(command: list[str]) -> Iterator[str]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
        finally:
            process.terminate()
