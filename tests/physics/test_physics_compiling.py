"""Kept machine code is used for exactly the sources that it was made of."""

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
