"""docs/add-an-instrument.md, followed step by step: its files written, installed by pip, its commands run."""

from __future__ import annotations

from pathlib import Path

import pytest
from followed_pages import DOCS, FILE, FollowedPage


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> FollowedPage:
    return FollowedPage("add-an-instrument.md", tmp_path_factory.mktemp("acme"))


def test_the_page_can_be_followed(followed: FollowedPage) -> None:
    said = {words[0]: followed.labtrain(*words) for words in followed.commands()}
    assert list(said) == ["bench", "run", "replay"]
    assert said["bench"]["instruments"]["box"]["idn"].startswith("ACME,RELAY BOX")
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


def test_its_role_keeps_the_laws(followed: FollowedPage) -> None:
    done = followed.run("-c", LAWS)
    assert done.returncode == 0, done.stderr


def test_the_unknown_model_of_a_package_that_is_not_installed_is_named(tmp_path: Path) -> None:
    from labtrain.bench import check_bench

    page = (DOCS / "add-an-instrument.md").read_text()
    match = next(m for m in FILE.finditer(page) if m["name"] == "relay-bench.toml")
    file = tmp_path / "relay-bench.toml"
    file.write_text(match["body"])
    found = check_bench(file)
    assert not found["ok"] and "relay-box" in found["problems"][0]["message"]
