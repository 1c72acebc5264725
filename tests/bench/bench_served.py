"""A bench whose instruments live in another process, on real time, and programs that drive it and end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labtrain.errors import LabtrainError
from labtrain.links.serial import SerialLink
from labtrain.links.visa import VisaLink

HERE = Path(__file__).parent


@dataclass
class Served:
    """A bench file with the addresses of served instruments."""

    file: Path
    resources: dict[str, str]

    def ask(self, alias: str, question: bytes) -> bytes:
        resource = self.resources[alias]
        link = SerialLink(resource) if resource.startswith("ASRL") else VisaLink(resource)
        try:
            link.send(question)
            return link.receive().strip()
        finally:
            link.close()

    def is_safe(self) -> bool:
        outputs = [("smu", b":OUTP?\n"), ("pulser", b":OUTP1?\n"), ("pulser", b":OUTP2?\n")]
        off = all(self.ask(alias, question) == b"0" for alias, question in outputs)
        return off and self.ask("matrix", b"STATE?\n") == b""

    def seconds_until_safe(self, patience: float = 60.0) -> float | None:
        """Wait for the safe state; None where it does not come."""
        start = time.monotonic()
        while (waited := time.monotonic() - start) < patience:
            with suppress(LabtrainError):
                if self.is_safe():
                    return waited
            time.sleep(0.02)
        return None

    def becomes_safe(self) -> bool:
        return self.seconds_until_safe() is not None


def start(served: Served, what: str, *more: str) -> subprocess.Popen[str]:
    """Start a program that drives the bench; return when it does."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "bench_driver.py"), str(served.file), what, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    assert line == "driving\n", process.stderr.read()
    return process


def end(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=60)
    return process.returncode


def addressed(text: str, resources: dict[str, str], left_out: Sequence[str] = ()) -> str:
    """Write the addresses into a bench file."""
    for alias, resource in resources.items():
        if alias not in left_out:
            head = f"[instruments.{alias}]\n"
            text = text.replace(head, f'{head}resource = "{resource}"\n')
    return text
