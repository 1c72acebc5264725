"""Recorded sessions behind a benchmark's tables: a cell that is there is not run again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from labtrain.cli.study_cells import Cell, Study, recorded_result, run_cell


def kept_run(study: Study, cell: Cell) -> dict[str, Any]:
    """Run a cell unless it is there; its CPU seconds come with the result, as ``cpu``."""
    found, beside = recorded_result(study, cell), _cpu_file(cell.path(study))
    if found is None:
        started = time.process_time()
        found = run_cell(study, cell)
        beside.write_text(f"{time.process_time() - started:.1f}\n")
    return found | {"cpu": float(beside.read_text()) if beside.exists() else float("nan")}


def _cpu_file(session: Path) -> Path:
    return session.with_suffix(".cpu")
