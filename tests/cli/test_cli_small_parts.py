"""The small parts of the command line: assignments, strict JSON, file names."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain.cli.assignments import parse_assignments
from labtrain.cli.files import default_session_path, first_free
from labtrain.cli.strict_json import dumps
from labtrain.errors import UsageError

names = st.text(st.characters(categories=["Ll"]), min_size=1)
values = st.text(st.characters(exclude_categories=["Cs"])).map(str.strip)


@given(st.dictionaries(names, values))
def test_assignments_round_trip(settings: dict[str, str]) -> None:
    assert parse_assignments([f"{name}={value}" for name, value in settings.items()]) == settings


@pytest.mark.parametrize("text", ["amplitude", "=0.8V", " =1"])
def test_an_assignment_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="name=value"):
        parse_assignments([text])


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
trees = st.recursive(leaves, lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=20)


@given(trees)
def test_json_is_strict_and_one_line(value: object) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = dumps(value)
    json.loads(text, parse_constant=refuse)
    assert "\n" not in text


@given(st.floats())
def test_only_finite_numbers_survive(value: float) -> None:
    back = json.loads(dumps({"x": np.float64(value)}))["x"]
    assert back == value if math.isfinite(value) else back is None


def test_session_names_never_collide(tmp_path: Path) -> None:
    seen = set()
    for _ in range(3):
        path = default_session_path("train", {"wafer": "W12", "die": "3,4"}, tmp_path)
        assert path not in seen and "W12-3-4" in path.name
        path.with_name(path.name + ".journal").touch()
        seen.add(path)


def test_first_free_counts_up(tmp_path: Path) -> None:
    (tmp_path / "demo.h5").touch()
    assert first_free(tmp_path, "demo", ".h5").name == "demo_2.h5"
