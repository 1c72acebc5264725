"""Where results go: the default names of session files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from labtrain.clock import RealClock


def default_session_path(command: str, sample: Mapping[str, str], folder: Path = Path("runs")) -> Path:
    """Return ``runs/<utc>_<sample>_<command>_<n>.h5`` with the first free ``n``."""
    moment = datetime.fromtimestamp(RealClock().utc_ns() / 1e9, tz=UTC).strftime("%Y%m%dT%H%M%SZ")
    name = "-".join(str(sample[key]) for key in ("wafer", "die", "id") if sample.get(key)) or "no-sample"
    stem = f"{moment}_{re.sub(r'[^A-Za-z0-9.-]+', '-', name)}_{command}"
    return first_free(folder, stem, ".h5", always_numbered=True)


def first_free(folder: Path, stem: str, suffix: str, always_numbered: bool = False) -> Path:
    """Return the first of ``stem.suffix``, ``stem_2.suffix``, ... that does not exist, nor its journal."""
    number = 1
    while True:
        name = f"{stem}_{number}" if always_numbered or number > 1 else stem
        path = folder / f"{name}{suffix}"
        if not is_taken(path):
            return path
        number += 1


def is_taken(path: Path) -> bool:
    """Whether a session, or the journal of one, stands at a path."""
    return path.exists() or path.with_name(path.name + ".journal").exists()
