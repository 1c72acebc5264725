"""Long series in files of JSON lines: what is there is not done again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class KeptLines:
    """A file ``<prefix><name>.jsonl`` a name; a line a number, which it holds under ``key``."""

    folder: Path
    key: str
    prefix: str = ""

    def of(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of a name."""
        path = self._path(name)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def collect(
        self, names: Iterable[str], count: int, made: Callable[[str, int], dict[str, Any]], seconds: float
    ) -> None:
        """Make the lines ``0 ... count - 1`` that are missing, with their CPU time, until it adds up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            done = {line[self.key] for line in self.of(name)}
            with self._path(name).open("a") as file:
                for number in sorted(set(range(count)) - done):
                    if (began := time.process_time()) > seconds:
                        return
                    found = made(name, number)
                    line = {self.key: number, **found, "seconds": time.process_time() - began}
                    file.write(json.dumps(line) + "\n")
                    file.flush()

    def _path(self, name: str) -> Path:
        return self.folder / f"{self.prefix}{name}.jsonl"
