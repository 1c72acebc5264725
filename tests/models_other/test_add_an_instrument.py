"""docs/add-an-instrument.md, followed step by step: its files written, installed by pip, its commands run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add-an-instrument.md"
FILE = re.compile(r"<!-- shown only: file (?P<name>\S+) -->\s*\n```\w+\n(?P<body>.*?)```", re.DOTALL)
FOLLOWED = re.compile(r"<!-- shown only: followed [^>]*-->\s*\n```bash\n(?P<body>.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder after steps 1 to 5, and an environment in which the package is installed."""
    folder = tmp_path_factory.mktemp("acme")
    for match in FILE.finditer(PAGE.read_text()):
        file = folder / match["name"]
        file.parent.mkdir(exist_ok=True)
        file.write_text(match["body"])
    (folder / "acme_lab" / "__init__.py").touch()
    pytest.importorskip("setuptools", reason="installing a package without a network needs setuptools")
    site = folder / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target"]
    done = subprocess.run([*install, str(site), str(folder)], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return folder, {**os.environ, "PYTHONPATH": str(site), "LABTRAIN_STATE": str(folder / "state")}


def labtrain(followed: tuple[Path, dict[str, str]], *words: str) -> dict[str, object]:
    folder, environment = followed
    done = subprocess.run(
        [sys.executable, "-m", "labtrain", *words, "--json"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_page_can_be_followed(followed: tuple[Path, dict[str, str]]) -> None:
    commands = [
        shlex.split(line)
        for block in FOLLOWED.finditer(PAGE.read_text())
        for line in block["body"].splitlines()
    ]
    said = {words[1]: labtrain(followed, *words[1:]) for words in commands}
    assert list(said) == ["bench", "run", "replay"]
    instruments = said["bench"]["instruments"]
    assert isinstance(instruments, dict) and instruments["box"]["idn"].startswith("ACME,RELAY BOX")
    assert said["run"]["status"] == "complete"
    assert said["replay"]["identical"] is True


LAWS = """
from labtrain.bench import Bench
from labtrain.errors import LimitExceeded, UsageError

with Bench.open("relay-bench.toml") as bench:
    box = bench.switch_matrix("box")
    box.connect_only((1, 3))
    assert [(c.row, c.column) for c in box.closed] == [(1, 3)]
    box.open_all()
    try:
        box.close((5, 1))
    except UsageError as error:
        assert "rows 1 to 4" in str(error)
    else:
        raise AssertionError("a relay that is not there")
    with bench.route("reference", "top") as meter:
        try:
            meter.configure("voltage", 5.0, 60e-6, 60e-6, 0.1)
            meter.source_voltage = 5.0
        except LimitExceeded:
            pass
        else:
            raise AssertionError("a limit that does not follow the route")
"""


def test_its_role_keeps_the_laws(followed: tuple[Path, dict[str, str]]) -> None:
    folder, environment = followed
    done = subprocess.run(
        [sys.executable, "-c", LAWS], cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr


def test_the_unknown_model_of_a_package_that_is_not_installed_is_named(tmp_path: Path) -> None:
    from labtrain.bench import check_bench

    match = next(m for m in FILE.finditer(PAGE.read_text()) if m["name"] == "relay-bench.toml")
    file = tmp_path / "relay-bench.toml"
    file.write_text(match["body"])
    found = check_bench(file)
    assert not found["ok"] and "relay-box" in found["problems"][0]["message"]
