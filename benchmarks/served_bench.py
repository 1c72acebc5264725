"""Instruments and an echo in processes of their own, as ``labtrain bench serve`` runs them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ECHO = """
import socket, sys
def polling(client):
    while True:
        try:
            return client.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
sleeping = lambda client: client.recv(65536)
receive = polling if sys.argv[1:] == ["poll"] else sleeping
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
client, _ = listener.accept()
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while data := receive(client):
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
def echoing(poll: bool = False) -> Iterator[socket.socket]:
    """Connect to a process that sends back what it is sent: what a query costs without an instrument.

    Where it polls it asks its socket again and again, for as long as it runs.
    """
    with (
        _running([sys.executable, "-c", ECHO, "poll" if poll else ""]) as line,
        connected(int(line)) as client,
    ):
        yield client


def polling(client: socket.socket) -> bytes:
    """Receive without sleeping."""
    while True:
        try:
            return client.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass


@contextmanager
def answering_itself() -> Iterator[socket.socket]:
    """Connect to an echo by a thread of this process, as a mounted simulation answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_echo, args=(listener,), daemon=True)
        thread.start()
        with connected(listener.getsockname()[1]) as client:
            yield client
        thread.join()


def _echo(listener: socket.socket) -> None:
    client, _ = listener.accept()
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := client.recv(65536):
            client.sendall(data)


@contextmanager
def terminal() -> Iterator[tuple[int, str]]:
    """Open a pseudo-terminal: the descriptor of its far end, and the name that a client opens."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


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
