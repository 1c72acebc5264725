"""The report: one page, from the recording alone, with a section for what is there."""

import re

import pytest
from protocols_session import V50, write_session

from labtrain.report import write_report
from labtrain.session import Recording, Session
from labtrain.session.sink import Column
from labtrain.twins import fit_files


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    path = write_session(folder / "demo.h5")
    with Recording.open(path) as recording:
        return write_report(recording, folder / "demo.html").read_text(encoding="utf-8"), path


def test_the_page_has_every_section_and_what_was_measured(page):
    text, _ = page
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == [
        "Instruments",
        "Contact check",
        "Current and voltage",
        "Switching probability",
        "Training: iris-afd",
        "Provenance",
    ]
    for words in (
        "KEITHLEY INSTRUMENTS,MODEL 2450",
        "wafer SIM1",
        "neurons[3].top",
        "96.70 %",
        "20 mT",
        "run 5, chip 3",
    ):
        assert words in text


def test_the_page_fetches_nothing(page):
    text, _ = page
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", text)
    assert "<script" not in text and "@import" not in text and "url(" not in text


def test_every_figure_is_drawn_and_described(page):
    text, _ = page
    images = re.findall(r"<img src=\"data:image/svg\+xml;base64,([^\"]+)\" alt=\"([^\"]+)\"", text)
    assert len(images) == 8
    assert all(alt for _, alt in images)
    assert len({source for source, _ in images}) == 8


def test_the_same_recording_gives_the_same_page(page, tmp_path):
    text, path = page
    with Recording.open(path) as recording:
        again = write_report(recording, tmp_path / "again.html").read_text(encoding="utf-8")
    assert again == text


def test_twins_from_the_session_find_what_was_put_in(page):
    devices = fit_files([page[1]]).devices
    low, high = devices["sot/P->AP"].parameters["v50"].interval
    assert low <= V50 <= high
    assert devices["neurons[0]/top"].verdict == "describes"
    assert devices["neurons[3]/top"].verdict == "insufficient"


def test_names_from_a_bench_cannot_break_the_page(tmp_path):
    path = tmp_path / "<b>x.h5"
    columns = {"device": Column("str"), "volts": Column(unit="V")}
    with Session.create(path, start={"command": "run", "argv": ["<script>alert(1)</script>"]}) as session:
        rows = session.stream("runs/0001_own/points", columns, {"protocol": "own <i>"})
        rows.append({"device": "<img>", "volts": 1.0})
    with Recording.open(path) as recording:
        text = write_report(recording, tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<script>" not in text and "<i>" not in text
    assert "own &lt;i&gt;" in text and "1 rows of device, volts" in text


def test_an_empty_session_has_a_page(tmp_path):
    with Session.create(tmp_path / "e.h5", start={"command": "run"}):
        pass
    with Recording.open(tmp_path / "e.h5") as recording:
        text = write_report(recording, tmp_path / "e.html").read_text(encoding="utf-8")
    assert "Provenance" in text
