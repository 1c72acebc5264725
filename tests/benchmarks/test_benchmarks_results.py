"""The published table of speeds says what its sections say, and every section says where it comes from."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from published import anchor, found, sections, value, write_section  # noqa: E402
from summary import TITLE, Goal, goals, write  # noqa: E402

RESULTS = ROOT / "benchmarks/RESULTS.md"
HEAD = re.compile(r"`(?P<command>[^`]+)` - 20\d\d-\d\d-\d\d, commit [0-9a-f]{7,}.*, .*Python .*; numpy ")
MEASURED = {title: text for title, text in sections(RESULTS).items() if title != TITLE}


@pytest.mark.parametrize("goal", goals(), ids=lambda goal: f"{goal.area}: {goal.what}")
def test_a_goal_is_measured_or_tested_or_says_why_not(goal: Goal) -> None:
    if goal.test:
        assert (ROOT / goal.test.split()[-1]).exists()
        return
    cell = goal.measured(MEASURED)
    assert cell or goal.why
    assert not cell or goal.is_met(cell) or goal.why, f"{cell} where {goal.asked} was asked, and no reason"


def test_the_table_at_the_top_is_what_the_sections_give(tmp_path: Path) -> None:
    copy = tmp_path / "RESULTS.md"
    shutil.copy(RESULTS, copy)
    write(copy)
    assert copy.read_text() == RESULTS.read_text(), "run python benchmarks/summary.py"
    assert next(iter(sections(copy))) == TITLE


@pytest.mark.parametrize("title", MEASURED)
def test_a_section_says_by_what_when_and_on_what_it_was_measured(title: str) -> None:
    head = HEAD.match(MEASURED[title].strip())
    assert head is not None, MEASURED[title].strip().splitlines()[0]
    scripts = re.findall(r"benchmarks/\w+\.py", head["command"])
    assert scripts or head["command"].startswith("labtrain ")
    assert all((ROOT / script).exists() for script in scripts)


def test_links_of_the_table_lead_to_sections() -> None:
    linked = re.findall(r"\]\(#([^)]+)\)", sections(RESULTS)[TITLE])
    assert linked and set(linked) <= {anchor(title) for title in MEASURED}


TITLES = st.lists(st.text("abc: ", min_size=1).map(str.strip).filter(bool), min_size=1, unique=True)


@given(TITLES, st.data())
def test_a_section_is_replaced_where_it_stands_and_no_other_changes(tmp_path_factory, titles, data) -> None:
    file = tmp_path_factory.mktemp("results") / "RESULTS.md"
    for title in titles:
        write_section(file, title, f"old {title}")
    again = data.draw(st.sampled_from(titles))
    write_section(file, again, "new")
    assert {name: text.strip() for name, text in sections(file).items()} == {
        title: "new" if title == again else f"old {title}" for title in titles
    }
    assert list(sections(file)) == titles


@pytest.mark.parametrize(
    ("text", "heading", "si"),
    [
        ("9.73 ms", "labtrain", 9.73e-3),
        ("34.5", "median us", 34.5e-6),
        ("0.56 (0.45 to 0.71)", "the role adds, us (quartiles)", 0.56e-6),
        ("0.0107 (0.0101-0.0114)", "ratio (quartiles)", 0.0107),
        ("885,177 /s", "found", 885_177.0),
        (">= 300 000 /s", "found", 300_000.0),
        ("1.75%", "found", 0.0175),
        ("7.39e+03 ns", "each", 7.39e-6),
    ],
)
def test_a_figure_is_read_with_its_unit(text: str, heading: str, si: float) -> None:
    assert value(text, heading) == pytest.approx(si)


def test_a_figure_that_is_not_there_is_not_found() -> None:
    text = "| what | found | goal |\n|---|---|---|\n| a | 1 us | |\n"
    assert (found(text, "a", "found"), found(text, "b", "found"), found(text, "a", "other")) == (
        "1 us",
        None,
        None,
    )
