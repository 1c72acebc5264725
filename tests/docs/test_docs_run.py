"""Every snippet of the documentation is executed, page by page, in an empty folder.

Python blocks of a page share one namespace. Of a shell block, the lines that
start with ``labtrain`` are run. A block after ``<!-- shown only: reason -->``
is left out.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?P<mark><!-- shown only: [^>]+-->\s*\n)?```(?P<kind>python|bash)\n(?P<body>.*?)```", re.DOTALL
)


def runnable(page: Path) -> list[tuple[str, str]]:
    return [(m["kind"], m["body"]) for m in BLOCK.finditer(page.read_text()) if not m["mark"]]


def with_snippets() -> list[Path]:
    return [page for page in PAGES if runnable(page)]


@pytest.mark.parametrize("page", with_snippets(), ids=lambda page: page.name)
def test_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "docs"}
    for kind, body in runnable(page):
        if kind == "python":
            exec(compile(body, f"{page.name}:python", "exec"), namespace)
        else:
            run_shell(body)


def run_shell(body: str) -> None:
    for line in body.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["labtrain"]:
            command = [sys.executable, "-m", "labtrain", *words[1:]]
            done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), timeout=240)
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
