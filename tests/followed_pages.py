"""Pages of the documentation, followed step by step: files written, installed by pip, commands run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
FILE = re.compile(r"<!-- shown only: file (?P<name>\S+) -->\s*\n```\w+\n(?P<body>.*?)```", re.DOTALL)
FOLLOWED = re.compile(r"<!-- shown only: followed [^>]*-->\s*\n```bash\n(?P<body>.*?)```", re.DOTALL)


class FollowedPage:
    """A folder with a page's files, its package installed beside them."""

    def __init__(self, page: str, folder: Path) -> None:
        self.text, self.folder = (DOCS / page).read_text(), folder
        for match in FILE.finditer(self.text):
            file = folder / match["name"]
            file.parent.mkdir(exist_ok=True)
            file.write_text(match["body"])
            if file.suffix == ".py":
                (file.parent / "__init__.py").touch()
        site = self._install()
        self.environment = {**os.environ, "PYTHONPATH": str(site), "LABTRAIN_STATE": str(folder / "state")}

    def commands(self) -> list[list[str]]:
        """The commands that are to be followed, as words after ``labtrain``."""
        blocks = [match["body"] for match in FOLLOWED.finditer(self.text)]
        return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]

    def labtrain(self, *words: str) -> dict[str, Any]:
        """Run one; return its JSON."""
        done = self.run("-m", "labtrain", *words, "--json")
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python where the package is installed."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
        )

    def _install(self) -> Path:
        pytest.importorskip("setuptools", reason="installing a package without a network needs setuptools")
        site = self.folder / "site"
        install = "-m pip install -q --no-deps --no-build-isolation --target".split()
        done = subprocess.run(
            [sys.executable, *install, str(site), str(self.folder)],
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        return site
