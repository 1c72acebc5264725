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

from labtrain.cli.recorded import Order, record
from labtrain.cli.steps import train_step
from labtrain.errors import UsageError
from labtrain.progress import SilentProgress
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
    if spoil is not None:
        spoil(tmp_path / "data")
    name, _, value = setting.partition("=")
    step = train_step(recipe, None, {name: value}, True, None)
    order = Order("train", [step], 0, Path(bench), out=tmp_path / "r.h5", data_dir=tmp_path / "data")
    with pytest.raises(UsageError) as refusal:
        record(order, SilentProgress())
    assert refusal.value.exit_code == 2
    assert told in refusal.value.message and remedy in str(refusal.value.remedy)
    with Recording.open(tmp_path / "r.h5") as recording:
        assert recording.status == "failed"
        assert not [command for command in recording.transactions("smu").commands() if DRIVEN.search(command)]


def test_the_command_line_ends_with_2_and_one_message(tmp_path):
    words = ["train", "iris-afd", "--bench", "demo", "--set", "hidden=20", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "labtrain", *words], capture_output=True, text=True, cwd=tmp_path
    )
    error = json.loads(done.stdout.strip().splitlines()[-1])["error"]
    assert done.returncode == 2
    assert "needs 20 device neurons" in error["message"] and "at most 10" in error["remedy"]
    assert "Traceback" not in done.stdout + done.stderr


def test_a_source_that_was_switched_on_would_be_seen():
    assert (
        DRIVEN.search(b":OUTP ON\n")
        and DRIVEN.search(b":OUTP:STAT 1\n")
        and DRIVEN.search(b"smua.source.output=1")
    )
    assert not DRIVEN.search(b":OUTP OFF\n") and not DRIVEN.search(b"smua.source.output = 0\n")
