"""What training cannot begin with is told in one message, exit 2, and no source has been switched on."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_training_datasets import idx, place

from labtrain.session import Recording
from labtrain.training.datasets import FILES

DRIVEN = re.compile(rb":OUTP(UT)?(:STAT(E)?)? (1|ON)|source\.output\s*=\s*1", re.IGNORECASE)


def wrong_shape(folder: Path) -> None:
    (place(folder, compressed=False) / FILES["train_labels"]).write_bytes(idx(np.zeros(7, np.uint8)))


def not_a_number(folder: Path) -> None:
    """Images of 32-bit floats, a NaN among them."""
    floats = np.full((120, 4, 4), np.nan, dtype=">f4")
    header = b"\0\0\x0d\x03" + struct.pack(">3I", *floats.shape)
    (place(folder, compressed=False) / FILES["train_images"]).write_bytes(header + floats.tobytes())


@pytest.mark.parametrize(
    ("recipe", "bench", "setting", "spoil", "told", "remedy"),
    [
        ("iris-afd", "demo", "hidden=20", None, "needs 20 device neurons", "at most 10"),
        ("iris-afd", "demo", "highest_current=80uA", None, "80 uA cannot be used", "stay within"),
        ("mnist-afd", "mnist-afd", "hidden=2", wrong_shape, "do not match labels of shape (7,)", "one label"),
        ("mnist-afd", "mnist-afd", "hidden=2", not_a_number, "no IDX file of unsigned bytes", "format"),
    ],
    ids=["too few devices", "bias beyond limits", "wrong shape", "NaN"],
)
def test_refused_before_anything_is_driven(recipe, bench, setting, spoil, told, remedy, tmp_path):
    data = tmp_path / "data"
    if spoil is not None:
        spoil(data)
    words = ["train", recipe, "--bench", bench, "--set", setting, "--data", str(data), "--out", "r.h5"]
    done = subprocess.run(
        [sys.executable, "-m", "labtrain", *words, "--json"], capture_output=True, text=True, cwd=tmp_path
    )
    error = json.loads(done.stdout.strip().splitlines()[-1])["error"]
    assert done.returncode == 2
    assert told in error["message"] and remedy in error["remedy"]
    assert "Traceback" not in done.stdout + done.stderr
    with Recording.open(tmp_path / "r.h5") as recording:
        assert recording.status == "failed"
        assert not [command for command in recording.transactions("smu").commands() if DRIVEN.search(command)]


def test_a_source_that_was_switched_on_would_be_seen():
    assert (
        DRIVEN.search(b":OUTP ON\n")
        and DRIVEN.search(b":OUTP:STAT 1\n")
        and DRIVEN.search(b"smua.source.output=1")
    )
    assert not DRIVEN.search(b":OUTP OFF\n") and not DRIVEN.search(b"smua.source.output = 0\n")
