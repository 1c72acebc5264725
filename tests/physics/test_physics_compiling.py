"""Kept machine code is used for exactly the sources that it was made of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labtrain.kernels import compiling, stt_table, switching, vectors

SWITCHING = Path(switching.__file__)


@pytest.fixture
def folder(monkeypatch):
    """The folder of a kernel's machine code if some file of labtrain read differently."""

    plain = compiling._content.__wrapped__

    def named(kernel: Path, changed: Path | None = None) -> Path:
        monkeypatch.setattr(compiling, "_content", lambda file: plain(file) + b"#" * (file == changed))
        return compiling._folder.__wrapped__(kernel)

    return named


def test_a_kernel_knows_what_it_is_made_of():
    names = {f"{file.parent.name}/{file.name}" for file in compiling.sources_of(SWITCHING)}
    direct = {"kernels/switching.py", "kernels/events.py", "kernels/sot.py", "kernels/stt_table.py"}
    assert direct <= names and {"kernels/vectors.py", "kernels/noise.py", "labtrain/noise.py"} <= names


@pytest.mark.parametrize("module", [switching, stt_table, vectors])
def test_a_change_in_any_source_gives_new_machine_code(folder, module):
    assert folder(SWITCHING) != folder(SWITCHING, Path(module.__file__))


def test_a_change_elsewhere_keeps_it(folder):
    assert folder(Path(vectors.__file__)) == folder(Path(vectors.__file__), SWITCHING)


def test_others_may_keep_theirs_where_they_want(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert folder(SWITCHING).parent == tmp_path


def drawn(kept: Path, *order: str) -> str:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(kept)}
    command = [sys.executable, str(Path(__file__).with_name("kernel_draws.py")), *order]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_code_just_made_and_code_kept_give_the_same_bits(tmp_path):
    """A first run's record is replayed by kept code; each call made of several kernels, in any order."""
    order = ("plain", "fused", "switched")
    first = drawn(tmp_path, *order)
    assert list(tmp_path.iterdir())
    assert drawn(tmp_path, *order) == first
    assert drawn(tmp_path, *reversed(order)) == first
